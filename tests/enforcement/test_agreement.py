"""Envoy and the reference decide alike, for every policy and request."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enforcement import policy
from enforcement.decide import decide
from tests.enforcement import generated


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(generated.contents(), st.lists(generated.attributes(), min_size=8, max_size=8))
def test_envoy_gives_the_verdict_of_the_reference(bare, content, requests):
    bare.enforce(content)

    for attributes in requests:
        verdict = decide(attributes, content, now=datetime.now(UTC))
        reply = bare.ask(attributes)

        assert reply.status == verdict.status, reply.raw
        if verdict.action == "refuse":
            assert reply.code == verdict.code
            assert reply.headers["x-irapp-correction"] == verdict.correction
            assert reply.body["error"]["correction"] == verdict.correction
        else:
            compare_allowed(bare, content, attributes, verdict, reply)


def compare_allowed(bare, content, attributes, verdict, reply):
    changed = reply.body.get("request")
    assert (changed is not None) == (verdict.max_tokens is not None or verdict.reroute_to is not None)
    if changed is not None:
        assert changed["model"] == (verdict.reroute_to or attributes.model)
        tokens = [value for name, value in changed.items() if name.startswith("max_")]
        if verdict.max_tokens is not None and attributes.endpoint != "embeddings":
            assert tokens == [min(verdict.max_tokens, attributes.max_tokens or verdict.max_tokens)]
    counting = {limit.correction for limit in verdict.limits if not limit.shadow}
    for item in content.corrections:
        if isinstance(item.effect, policy.RequestLimit):
            assert bare.counted(attributes, item) is (item.id in counting), item.id
