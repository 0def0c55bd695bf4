"""The one listener: what every request passes, in order."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from enforcement import refusals
from enforcement.envoy.corrections import only_cluster
from enforcement.envoy.gateway import Gateway
from enforcement.envoy.types import extension
from enforcement.envoy.unreached import MATCHING, UNMARKED

BODY_LIMIT = 10 * 1024 * 1024
IDLE = "300s"
LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
CHAIN = "type.googleapis.com/envoy.extensions.filters.http.filter_chain.v3.FilterChainConfig"
KEYS = "type.googleapis.com/envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuth"
FILTERS = {"identity": [KEYS], "corrections": [LUA, MATCHING], "limits": [CHAIN]}
"""The filters that Envoy reads from a file of their own, in the order in which a request meets them."""

PROBE = "probe"
"""The cluster and the internal listener that answer a probe which passed everything."""
PROBE_HEADERS = tuple(f"irapp-probe{part}" for part in ("", "-id", "-limit", "-hits", "-floor"))
_COUNTED = ("x-irapp-hits", "x-irapp-floor-hits")
_GIVEN = ("x-irapp-client", "x-irapp-route", *_COUNTED, "irapp-use-case")
_INTERNAL = (*_GIVEN, *PROBE_HEADERS)
_LOG_LINE = (
    '{"at":"%START_TIME(%Y-%m-%dT%H:%M:%S.%6fZ)%","status":%RESPONSE_CODE%,'
    '"correction":"%RESP(X-IRAPP-CORRECTION)%","request":%DYNAMIC_METADATA(irapp:request)%,'
    '"dry":%DYNAMIC_METADATA(irapp.dry)%}\n'
)


COUNT = 2
"""The gateway's own listener and the one for probes: as many are active where Envoy serves."""


def listener(gateway: Gateway, generation: int) -> dict[str, object]:
    """Give the listener. A new generation replaces it, which ends every running stream."""
    return {
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": "gateway",
        "address": _address(gateway.host, gateway.port),
        "per_connection_buffer_limit_bytes": 1024 * 1024,
        "metadata": {"filter_metadata": {"irapp": {"generation": generation}}},
        "filter_chains": [{"filters": [_connection_manager(gateway)]}],
    }


def probe_listener() -> dict[str, object]:
    """Give the listener inside this Envoy that answers probes.

    To the filters it is an upstream like a model, with a usage, so that limits of tokens can be shown too.
    """
    hits = "%REQ(x-irapp-hits)%"
    usage = {"prompt_tokens": hits, "completion_tokens": hits}
    body = {"json_format": {"probe": "passed", "usage": usage}, "content_type": "application/json"}
    route = {
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body_format": body},
        "response_headers_to_add": [_told("x-irapp-policy", "%REQ(x-irapp-route)%")],
    }
    manager = {
        "@type": f"type.googleapis.com/{_MANAGER}",
        "stat_prefix": "irapp_probe",
        "route_config": {"virtual_hosts": [{"name": PROBE, "domains": ["*"], "routes": [route]}]},
        "http_filters": [_whole_body(), _router()],
    }
    return {
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": PROBE,
        "internal_listener": {},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }


_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


def _whole_body() -> dict[str, object]:
    """An answer before the end of the body would cost the connection."""
    return extension("buffer", "http.buffer.v3.Buffer", max_request_bytes=BODY_LIMIT)


def _router() -> dict[str, object]:
    """Statuses are counted by the connection manager; to count them by cluster, too, would cost 3 %."""
    return extension("router", "http.router.v3.Router", suppress_envoy_headers=True, dynamic_stats=False)


def _connection_manager(gateway: Gateway) -> dict[str, object]:
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": f"type.googleapis.com/{_MANAGER}",
            "stat_prefix": "irapp",
            "use_remote_address": True,
            "stream_idle_timeout": IDLE,
            "request_headers_timeout": "10s",
            "request_timeout": "120s",
            "common_http_protocol_options": {
                # Servers that map "_" to "-" would take x_irapp_user for ours.
                "headers_with_underscores_action": "DROP_HEADER",
            },
            "early_header_mutation_extensions": [_strip()],
            "access_log": [_access_log(gateway)],
            "local_reply_config": {"mappers": _local_replies()},
            "route_config": _routes(only_cluster(gateway)),
            "http_filters": [
                *_filters(gateway),
                _router(),
            ],
        },
    }


def _filters(gateway: Gateway) -> Iterator[dict[str, object]]:
    for name, kinds in FILTERS.items():
        yield _discovered(gateway, name, kinds)
        if name == "corrections" and only_cluster(gateway):
            yield _unheard()


def _unheard() -> dict[str, object]:
    """Refuse what is not marked and has met no script: a worker that could not load it lets all pass."""
    unmarked = {"name": "x-irapp-client", "string_match": {"prefix": UNMARKED}}
    unrouted = {"name": "x-irapp-route", "present_match": True, "invert_match": True}
    abort = {"http_status": 503, "percentage": {"numerator": 100, "denominator": "HUNDRED"}}
    return extension("fault", "http.fault.v3.HTTPFault", abort=abort, headers=[unmarked, unrouted])


def _strip() -> dict[str, object]:
    kind = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    ours = {"remove_on_match": {"key_matcher": {"prefix": "x-irapp-", "ignore_case": True}}}
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {"@type": f"type.googleapis.com/{kind}", "mutations": [ours]},
    }


def _discovered(gateway: Gateway, name: str, kinds: list[str]) -> dict[str, object]:
    path = str(gateway.folder / f"{name}.json")
    return {
        "name": f"irapp-{name}",
        "config_discovery": {
            "config_source": {"path_config_source": {"path": path}, "resource_api_version": "V3"},
            "type_urls": kinds,
        },
    }


def _routes(only: str | None) -> dict[str, object]:
    return {
        "name": "gateway",
        "virtual_hosts": [
            {
                "name": "gateway",
                "domains": ["*"],
                "request_body_buffer_limit": BODY_LIMIT,
                "response_headers_to_add": [_warning()],
                "routes": [_probe_answer(), _to_filter(), _to_model(only)],
            }
        ],
    }


def _probe_answer() -> dict[str, object]:
    """Answer a probe that passed everything; it never reaches a model."""
    return {
        "match": {"prefix": "/", "headers": [_is("x-irapp-probe", "answer")]},
        "route": {"cluster": PROBE, "timeout": "30s"},
    }


def _to_filter() -> dict[str, object]:
    return {
        "match": {"prefix": "/", "headers": [_is("x-irapp-route", "filter")]},
        "route": {"cluster": "filter", "timeout": "0s", "idle_timeout": IDLE},
        "request_headers_to_remove": list(_INTERNAL),
    }


def _to_model(only: str | None) -> dict[str, object]:
    """Go where the script says; where there is but one place, it need not be asked.

    What only the content filter and probes are told does not come this way.
    """
    where = {"cluster": only} if only else {"cluster_header": "x-irapp-route"}
    return {
        "match": {"prefix": "/"},
        "route": {**where, "timeout": "0s", "idle_timeout": IDLE},
        "request_headers_to_remove": list(_GIVEN),
    }


def _told(name: str, value: str) -> dict[str, object]:
    """Add a header to the answer, unless its value is empty."""
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _warning() -> dict[str, object]:
    """Give the warning of the script, unless the content filter gave one, which knows more."""
    warning = _told("x-irapp-warning", "%DYNAMIC_METADATA(irapp:warning)%")
    return {**warning, "append_action": "ADD_IF_ABSENT"}


def _is(name: str, value: str) -> dict[str, object]:
    return {"name": name, "string_match": {"exact": value}}


def _access_log(gateway: Gateway) -> dict[str, object]:
    kind = "envoy.extensions.access_loggers.file.v3.FileAccessLog"
    decided = {"filter": "irapp", "path": [{"key": "request"}], "value": {"present_match": True}}
    return {
        "name": "envoy.access_loggers.file",
        "filter": {"metadata_filter": {"matcher": decided, "match_if_key_not_found": False}},
        "typed_config": {
            "@type": f"type.googleapis.com/{kind}",
            "path": str(gateway.folder / "access.log"),
            "log_format": {"text_format_source": {"inline_string": _LOG_LINE}},
        },
    }


def _local_replies() -> list[dict[str, object]]:
    return [
        {
            "filter": {"response_flag_filter": {"flags": ["RLSE"]}},
            "body_format_override": _format("%DYNAMIC_METADATA(irapp.limit:closed)%"),
        },
        _reply(_status(401), refusals.UNAUTHORISED),
        _reply(_status(413), refusals.TOO_LARGE),
        {
            "filter": _status(429),
            "body_format_override": _format("%DYNAMIC_METADATA(irapp.limit:refusal)%"),
        },
        _reply({"response_flag_filter": {"flags": ["FI"]}}, refusals.FAILED),
        _reply({"response_flag_filter": {"flags": _UPSTREAM}}, refusals.UNAVAILABLE),
    ]


_UPSTREAM = ["UF", "UH", "UT", "UC", "UO", "NC", "LR", "UR", "URX"]


def _status(code: int) -> dict[str, object]:
    value = {"default_value": code, "runtime_key": f"irapp.status_{code}"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def _reply(when: dict[str, object], body: object) -> dict[str, object]:
    # "%" starts a command in a format.
    text = orjson.dumps(body).decode().replace("%", "%%")
    return {"filter": when, "body_format_override": _format(text)}


def _format(text: str) -> dict[str, object]:
    return {"text_format_source": {"inline_string": text}, "content_type": "application/json"}


def _address(host: str, port: int) -> dict[str, object]:
    return {"socket_address": {"address": host, "port_value": port}}
