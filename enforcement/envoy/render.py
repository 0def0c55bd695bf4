"""Everything that Envoy reads, as files by name."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import orjson

from enforcement import policy
from enforcement.envoy import corrections, identity, limits, listener, lists, unreached
from enforcement.envoy.gateway import Client, Gateway
from enforcement.envoy.types import any_of

BOOTSTRAP = "bootstrap.json"


class File(NamedTuple):
    """A file that Envoy watches: the filter it feeds and the version that Envoy will report back."""

    name: str
    filter: str
    version: str
    data: bytes


def static_files(gateway: Gateway, generation: int = 0) -> dict[str, bytes]:
    """Give what does not depend on the policy: the bootstrap, listener and clusters."""
    upstreams = sorted({model.upstream for model in gateway.models.values()})
    clusters = [_cluster(corrections.cluster_name(upstream), upstream) for upstream in upstreams]
    clusters += [_cluster("filter", gateway.filter_address), _probe_cluster()]
    if gateway.ratelimit_address:
        clusters.append(_cluster("ratelimit", gateway.ratelimit_address) | _HTTP2)
    return {
        BOOTSTRAP: _bytes(_bootstrap(gateway)),
        "clusters.json": discovery(clusters),
        "listener.json": discovery([listener.listener(gateway, generation), listener.probe_listener()]),
    }


def policy_files(
    gateway: Gateway, signed: policy.Policy | None, attachments: lists.Raw | None = None
) -> list[File]:
    """Give what enforces the policy, in the order in which it has to be moved into place.

    A limit has to count before the script that hands subjects to it, and costs nothing without it. Subject
    lists are files that the script reads by itself: they are written here, each once.

    :raises PolicyError: a list is not at hand.
    :raises OSError: a list cannot be written.
    """
    content = signed.content if signed else None
    version = version_of(signed)
    attached = lists.write(gateway.folder / lists.FOLDER, _named(signed), attachments)
    free = _unreached(gateway, content, attached)
    mark = unreached.tag(free)
    source = {"inline_string": corrections.script(gateway, signed, version, attached, mark)}
    # The script says by itself when a header that it has set asks for another route.
    script = any_of(
        "http.lua.v3.Lua", default_source_code=source, stat_prefix="irapp", clear_route_cache=False
    )
    return [
        _filter("limits", limits.chain(content)),
        _filter("corrections", unreached.past(script, mark) if mark else script, version),
        keys(gateway, free),
    ]


def keys(gateway: Gateway, free: frozenset[Client] = frozenset()) -> File:
    """Give the file of the key filter, where callers whom no correction reaches are marked."""
    return _filter("identity", identity.keys(gateway, free))


def _unreached(
    gateway: Gateway, content: policy.Content | None, attached: dict[str, lists.Rendered]
) -> frozenset[Client]:
    if content is None or corrections.reads_every_body(gateway):
        return frozenset()
    return unreached.unreached(gateway, content, attached)


def list_files(gateway: Gateway, signed: policy.Policy | None) -> frozenset[Path]:
    """Give the files of the lists that the script looks names up in; none of them ever changes."""
    return frozenset(lists.located(gateway.folder / lists.FOLDER, each) for each in _named(signed))


def clean_lists(gateway: Gateway, signed: policy.Policy | None) -> None:
    """Remove the lists that no policy has named for a while, when this one runs."""
    lists.clean(gateway.folder / lists.FOLDER, _named(signed))


def _named(signed: policy.Policy | None) -> set[str]:
    items = signed.content.corrections if signed else ()
    return {each.attachment for item in items for each in item.users.lists}


def version_of(signed: policy.Policy | None) -> str:
    """Name the policy as Envoy reports it back: version and digest, or ``none``."""
    return f"{signed.version}-{signed.digest}" if signed else "none"


def discovery(resources: list[dict[str, object]], version: str = "") -> bytes:
    """Wrap resources as a file that Envoy watches. Same resources, same version."""
    return _bytes({"version_info": version or _hash(resources), "resources": resources})


def _hash(value: object) -> str:
    return hashlib.sha256(_bytes(value)).hexdigest()[:16]


def _filter(name: str, config: Mapping[str, object], version: str = "") -> File:
    resource: dict[str, object] = {
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": f"irapp-{name}",
        "typed_config": config,
    }
    version = version or _hash(config)
    return File(f"{name}.json", name, version, discovery([resource], version))


def _bootstrap(gateway: Gateway) -> dict[str, object]:
    folder = gateway.folder
    return {
        "node": {"id": gateway.name, "cluster": "irapp"},
        "bootstrap_extensions": [_INTERNAL_LISTENERS],
        "admin": {"address": _socket("127.0.0.1", gateway.admin_port)},
        "dynamic_resources": {
            "cds_config": _watched(str(folder / "clusters.json")),
            "lds_config": _watched(str(folder / "listener.json")),
        },
    }


def _watched(path: str) -> dict[str, object]:
    return {"path_config_source": {"path": path}, "resource_api_version": "V3"}


def _cluster(name: str, upstream: str) -> dict[str, object]:
    host, _, port = upstream.rpartition(":")
    endpoint = {"endpoint": {"address": _socket(host.strip("[]"), int(port))}}
    return {
        "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        "name": name,
        "type": "STATIC" if _is_address(host) else "STRICT_DNS",
        "connect_timeout": "2s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
        "circuit_breakers": {"thresholds": [_PLENTY]},
    }


def _probe_cluster() -> dict[str, object]:
    address = {"envoy_internal_address": {"server_listener_name": listener.PROBE}}
    endpoint = {"endpoint": {"address": address}}
    return {
        "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        "name": listener.PROBE,
        "type": "STATIC",
        "load_assignment": {"cluster_name": listener.PROBE, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


_INTERNAL_LISTENERS = {
    "name": "envoy.bootstrap.internal_listener",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
    },
}
_HTTP2_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_HTTP2 = {
    "typed_extension_protocol_options": {
        _HTTP2_OPTIONS: {
            "@type": f"type.googleapis.com/{_HTTP2_OPTIONS}",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    }
}
_PLENTY = {"max_connections": 50000, "max_pending_requests": 50000, "max_requests": 50000}


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _socket(host: str, port: int) -> dict[str, object]:
    return {"socket_address": {"address": host, "port_value": port}}


def _bytes(value: object) -> bytes:
    return orjson.dumps(value)
