"""Limits: counted by the rate-limit service for all gateways, with Envoy's own rate limit as the floor.

Each correction has filters of its own, so that a refusal can name it. Requests have a floor that counts at
this gateway, whatever becomes of the service; tokens and running requests can only be counted by the service,
so without it they are closed. The limit travels in every question, and the service needs no policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from typing import TypeAlias

import orjson

from enforcement import policy, refusals
from enforcement.envoy.corrections import limit_header
from enforcement.envoy.lua_text import literal
from enforcement.envoy.types import any_of, extension
from enforcement.ratelimit import rules, usage

MAX_SUBJECTS = 1_000_000
"""How many subjects a limit counts at once; Envoy's own default of 20 would forget the 21st."""
CLUSTER = "ratelimit"
TIMEOUT = "0.5s"
"""Longer than the service waits for Redis."""
LEASE_HEADER = "x-irapp-lease"
HEADER = "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput"

Filter: TypeAlias = dict[str, object]
Limited: TypeAlias = tuple[policy.Correction, policy.Limiting]


def chain(content: policy.Content | None) -> Filter:
    """Give the chain of limits: none costs nothing."""
    limited = [
        (item, item.effect)
        for item in (content.corrections if content else ())
        if isinstance(item.effect, policy.Limiting)
    ]
    filters = [*_before(limited), *(_where_counted(*each) for each in limited), _cleared()] if limited else []
    some: Filter = {"default_filter_chain": {"filters": filters}} if filters else {}  # empty ones are refused
    return any_of("http.filter_chain.v3.FilterChainConfig", **some)


def _before(limited: Sequence[Limited]) -> Iterator[Filter]:
    """Prepare what the limits count by. At its end a stream has no headers left, so they become metadata."""
    tokens = [item.id for item, effect in limited if isinstance(effect, policy.TokenLimit)]
    if any(isinstance(effect, policy.ConcurrencyLimit) for _, effect in limited):
        yield _lease()
    if tokens:
        yield from _reading_usage(tokens)
    yield _kept({LEASE_HEADER: "lease", "x-irapp-hits": "hits"})


def _kept(headers: dict[str, str]) -> Filter:
    rules = [
        {"header": header, "on_header_present": {"metadata_namespace": "irapp.limits", "key": key}}
        for header, key in headers.items()
    ]
    return extension("header_to_metadata", "http.header_to_metadata.v3.Config", request_rules=rules)


def _where_counted(item: policy.Correction, effect: policy.Limiting) -> Filter:
    """Put the filters of a limit where only requests meet them that it counts: hundreds cost next to nothing.

    Behind the one that waits for an answer no other may stand: when it goes on, it goes on behind them all.
    """
    chain = {"typed_config": [_kept({limit_header(item): item.id}), *_filters(item, effect)]}
    run = any_of("http.composite.v3.ExecuteFilterAction", filter_chain=chain)
    header = {"@type": HEADER, "header_name": limit_header(item)}
    named = {
        "single_predicate": {
            "input": {"name": "subject", "typed_config": header},
            "value_match": {"safe_regex": {"google_re2": {}, "regex": ".+"}},
        }
    }
    counted = {"predicate": named, "on_match": {"action": {"name": "limit", "typed_config": run}}}
    matcher = {"matcher_list": {"matchers": [counted]}}
    return extension("composite", "http.composite.v3.Composite", matcher=matcher)


def _cleared() -> Filter:
    """Take our headers off again: they are nobody's business behind the gateway."""
    subjects = {"key_matcher": {"prefix": "x-irapp-limit-"}}
    return _mutated([{"remove_on_match": subjects}, {"remove": LEASE_HEADER}])


def _lease() -> Filter:
    """Give every request a name that no client can choose."""
    append = _header(LEASE_HEADER, "%UNIQUE_ID%")
    return _mutated([{"append": append}])


def _mutated(mutations: list[Filter]) -> Filter:
    kind = "http.header_mutation.v3.HeaderMutation"
    return extension("header_mutation", kind, mutations={"request_mutations": mutations})


def _reading_usage(limits: Sequence[str]) -> Iterator[Filter]:
    """Read the usage out of answers, which for that must not be compressed."""
    yield _mutated([{"remove": "accept-encoding"}])
    nothing: Filter = dict.fromkeys(("input", "output", "chunks", "text"), 0)
    yield _told("irapp.usage", nothing)
    source = {"inline_string": f"local LIMITS = {literal(limits)}\n{_script()}"}
    yield extension("lua", "http.lua.v3.Lua", default_source_code=source, stat_prefix="irapp_usage")


@cache
def _script() -> str:
    return (resources.files("enforcement.envoy") / "lua" / "usage.lua").read_text()


def _told(namespace: str, value: Filter) -> Filter:
    entry = {"metadata_namespace": namespace, "allow_overwrite": True, "value": value}
    return extension("set_metadata", "http.set_metadata.v3.Config", metadata=[entry])


def _filters(item: policy.Correction, effect: policy.Limiting) -> Iterator[Filter]:
    """Give what a refusal would say, the floor where there is one, and the question to the service."""
    if item.mode == "enforce":
        texts = {"refusal": refusals.refusal(item), "closed": refusals.uncounted(item)}
        told: Filter = {name: orjson.dumps(body).decode() for name, body in texts.items()}
        yield _told("irapp.limit", {**told, "numbers": _numbers(effect)})
        if isinstance(effect, policy.RequestLimit):
            yield _floor(item, effect)
    if isinstance(effect, policy.ConcurrencyLimit):
        # Apart and before: a filter whose own question is cut off by the client says nothing at the end.
        yield _question(item, effect, _given_back(item, effect))
    yield _question(item, effect, _asked(item, effect))


def _numbers(effect: policy.Limiting) -> Filter | None:
    """Give the limit in the protocol's own terms, for a service that does not read our rules."""
    if not isinstance(effect, policy.RequestLimit) or effect.window_seconds not in _UNITS:
        return None
    return {"requests_per_unit": effect.requests, "unit": _UNITS[effect.window_seconds]}


_UNITS = {1: "SECOND", 60: "MINUTE", 3600: "HOUR", 86_400: "DAY"}


def _floor(item: policy.Correction, effect: policy.RequestLimit) -> Filter:
    counted = {"actions": [_subject(item, item.id), _UNLESS_TOLD], "hits_addend": {"format": _FLOOR_HITS}}
    return extension(
        "local_ratelimit",
        "http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="irapp",
        filter_enabled=_ALWAYS,
        filter_enforced=_ALWAYS,
        max_dynamic_descriptors=MAX_SUBJECTS,
        response_headers_to_add=[
            _header("x-irapp-correction", item.id),
            _header("retry-after", str(refusals.retry_after(item))),
        ],
        rate_limits=[counted],
        descriptors=[_bucket(item, effect)],
    )


_ALWAYS = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
_FLOOR_HITS = "%REQ(x-irapp-floor-hits?x-irapp-hits)%"
_UNLESS_TOLD: Filter = {
    "header_value_match": {
        "descriptor_key": "floor",
        "descriptor_value": "counts",
        "expect_match": False,
        "headers": [{"name": "x-irapp-floor-hits", "string_match": {"exact": "0"}}],
    }
}
"""A probe may leave the floor alone, to see the service behind it."""


def _bucket(item: policy.Correction, effect: policy.RequestLimit) -> Filter:
    """Give a bucket that is never stricter than the service: as many as fit at once, refilled at the rate."""
    return {
        "entries": [{"key": item.id}, {"key": "floor", "value": "counts"}],
        "token_bucket": {
            "max_tokens": effect.burst or effect.requests,
            "tokens_per_fill": effect.requests,
            "fill_interval": f"{effect.window_seconds}s",
        },
    }


def _question(item: policy.Correction, effect: policy.Limiting, asked: Iterable[Filter]) -> Filter:
    floored = isinstance(effect, policy.RequestLimit) or item.mode == "shadow"
    return extension(
        "ratelimit",
        "http.ratelimit.v3.RateLimit",
        domain=rules.DOMAIN,
        stat_prefix="irapp",
        timeout=TIMEOUT,
        failure_mode_deny=not floored,
        status_on_error={"code": "ServiceUnavailable"},
        enable_retry_after_header=True,
        disable_x_envoy_ratelimited_header=True,
        response_headers_to_add=[_header("x-irapp-correction", item.id)],
        metadata_namespace="irapp.dry",
        rate_limit_service={
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": CLUSTER}},
        },
        rate_limits=list(asked),
    )


def _asked(item: policy.Correction, effect: policy.Limiting) -> Iterator[Filter]:
    """Give the descriptors: at the request, and what was used when its stream has ended."""
    common = _common(item, effect)
    match effect:
        case policy.RequestLimit():
            numbers = {"metadata_key": {"key": "irapp.limit", "path": [{"key": "numbers"}]}}
            hits = {"format": "%REQ(x-irapp-hits)%"}
            yield {"actions": common, "hits_addend": hits, "limit": {"dynamic_metadata": numbers}}
        case policy.TokenLimit():
            yield {"actions": common, "hits_addend": {"number": 0}}
            for part in usage.PARTS:
                hits = {"format": _PARTS.get(part, f"%DYNAMIC_METADATA(irapp.usage:{part})%")}
                yield {"actions": [*common, _entry("part", part)], "hits_addend": hits, **_AT_THE_END}
        case policy.ConcurrencyLimit():
            yield {"actions": [*common, _metadata("lease", "lease")], "hits_addend": _PLACES}


def _given_back(item: policy.Correction, effect: policy.ConcurrencyLimit) -> Iterator[Filter]:
    held = [*_common(item, effect), _metadata("lease", "lease")]
    yield {"actions": held, "hits_addend": {**_PLACES, "is_negative_hits": True}, **_AT_THE_END}


def _common(item: policy.Correction, effect: policy.Limiting) -> list[Filter]:
    common = [_entry("limit", item.id), _entry("rule", rules.rule_of(effect)), _subject(item, "subject")]
    return [*common, _entry("dry", "1")] if item.mode == "shadow" else common


_PLACES = {"format": "%DYNAMIC_METADATA(irapp.limits:hits)%"}
_AT_THE_END = {"apply_on_stream_done": True}
_PARTS = {"received": "%BYTES_RECEIVED%", "sent": "%BYTES_SENT%", "status": "%RESPONSE_CODE%"}


def _subject(item: policy.Correction, key: str) -> Filter:
    """Name whom the limit counts; without one there is no question at all."""
    return _metadata(key, item.id)


def _metadata(key: str, name: str) -> Filter:
    path = {"key": "irapp.limits", "path": [{"key": name}]}
    return {"metadata": {"descriptor_key": key, "metadata_key": path}}


def _entry(key: str, value: str) -> Filter:
    return {"generic_key": {"descriptor_key": key, "descriptor_value": value}}


def _header(key: str, value: str) -> Filter:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
