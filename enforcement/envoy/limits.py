"""Request limits as local rate limits, one filter per correction so that a refusal can name its own."""

from __future__ import annotations

import orjson

from enforcement import policy, refusals
from enforcement.envoy.corrections import limit_header
from enforcement.envoy.types import any_of, extension

MAX_SUBJECTS = 1_000_000
"""How many subjects a limit counts at once; Envoy's own default of 20 would forget the 21st."""


def chain(content: policy.Content | None) -> dict[str, object]:
    """Give the chain of limits: what a refusal would say, then the limit, for each correction."""
    filters = [
        one
        for item in (content.corrections if content else ())
        if isinstance(item.effect, policy.RequestLimit) and item.mode == "enforce"
        for one in (_told(item), _limit(item, item.effect))
    ]
    return any_of(
        "http.filter_chain.v3.FilterChainConfig",
        default_filter_chain={"filters": [*filters, _cleared()]},
    )


def _cleared() -> dict[str, object]:
    """Take the subjects off again: they are nobody's business behind the gateway."""
    ours = {"remove_on_match": {"key_matcher": {"prefix": "x-irapp-limit-"}}}
    mutations = {"request_mutations": [ours]}
    return extension("header_mutation", "http.header_mutation.v3.HeaderMutation", mutations=mutations)


def _told(item: policy.Correction) -> dict[str, object]:
    body = orjson.dumps(refusals.refusal(item)).decode()
    entry = {
        "metadata_namespace": "irapp.limit",
        "allow_overwrite": True,
        "value": {"refusal": body},
    }
    return extension("set_metadata", "http.set_metadata.v3.Config", metadata=[entry])


def _limit(item: policy.Correction, effect: policy.RequestLimit) -> dict[str, object]:
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
        rate_limits=[_counted(item)],
        descriptors=[_bucket(item, effect)],
    )


_ALWAYS = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}


def _header(name: str, value: str) -> dict[str, object]:
    return {
        "header": {"key": name, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }


def _counted(item: policy.Correction) -> dict[str, object]:
    subject = {"header_name": limit_header(item), "descriptor_key": item.id}
    return {
        "actions": [{"request_headers": subject}],
        "hits_addend": {"format": "%REQ(x-irapp-hits)%"},
    }


def _bucket(item: policy.Correction, effect: policy.RequestLimit) -> dict[str, object]:
    return {
        "entries": [{"key": item.id}],
        "token_bucket": {
            "max_tokens": effect.requests,
            "tokens_per_fill": effect.requests,
            "fill_interval": f"{effect.window_seconds}s",
        },
    }
