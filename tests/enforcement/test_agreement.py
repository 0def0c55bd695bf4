"""Envoy, with the content filter behind it, and the reference decide alike: every kind, scope and attribute.

``IRAPP_PAIRS=10000`` asks for a longer run.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime

import pytest

from enforcement import policy
from enforcement.asking import request_body
from enforcement.decide import REFUSALS, Rules
from enforcement.refusals import warning
from tests.enforcement import wide

PER_POLICY = 50
DRAWS = int(os.environ.get("IRAPP_PAIRS", "3000")) // PER_POLICY
FIRST = int(os.environ.get("IRAPP_FIRST_DRAW", "0"))


@pytest.fixture(scope="module")
def gateway(bare):
    for raw in wide.ATTACHED.values():
        bare.attach(raw)
    return bare


@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(4))
def test_envoy_gives_the_verdict_of_the_reference(gateway, part):
    for number in range(FIRST + part, FIRST + DRAWS, 4):
        content, rng = wide.drawn(number)
        gateway.enforce(content)
        rules = Rules(content, wide.Attachments())
        for _ in range(PER_POLICY):
            asked, sent = wide.attributes(rng)
            try:
                compare(gateway, rules, asked, sent)
            except AssertionError as error:
                pytest.fail(f"draw {number}: {error}\n{sent}\n{wide.told(content)}")


def test_the_draws_meet_every_way_a_request_can_go():
    kinds = {code for kind, (_, _, code) in REFUSALS.items() if issubclass(kind, policy.GRACEFUL)}
    met = Counter()
    for number in range(DRAWS):
        content, rng = wide.drawn(number)
        rules = Rules(content, wide.Attachments())
        for _ in range(PER_POLICY):
            _, sent = wide.attributes(rng)
            met.update(ways(rules.decide(sent, now=datetime.now(UTC))))

    assert kinds | {"spared", "warned", "filtered", "rerouted", "capped", "counted", "served"} <= set(met)


def ways(verdict):
    """Name what happens to a request, for the count of what the draws have met."""
    yield verdict.code or ("filtered" if verdict.by_filter else "served")
    happened = {
        "spared": verdict.exempted,
        "warned": verdict.warnings,
        "rerouted": verdict.reroute_to,
        "capped": verdict.max_tokens,
        "counted": verdict.limits,
    }
    yield from (name for name, what in happened.items() if what)


def compare(gateway, rules, asked, sent):
    now = datetime.now(UTC)
    verdict = rules.decide(sent, now=now)
    body = request_body(asked)
    reply = gateway.ask(sent, body)

    assert reply.status == verdict.status, (reply.raw, verdict)
    if verdict.action == "refuse":
        assert reply.code == verdict.code
        assert reply.headers["x-irapp-correction"] == verdict.correction
        assert reply.body["error"]["correction"] == verdict.correction
    else:
        compare_allowed(gateway, rules, sent, body, verdict, reply)


def compare_allowed(gateway, rules, sent, body, verdict, reply):
    warned = ", ".join(warning(one.correction, one.since) for one in verdict.warnings)
    assert reply.headers.get("x-irapp-warning", "") == warned
    changed = reply.body.get("request")
    by_filter = rules.decide(wide.unread(sent), now=datetime.now(UTC)).by_filter or sent.stream
    assert (changed is not None) == by_filter
    if changed is not None:
        assert changed["model"] == (verdict.reroute_to or sent.model)
        compare_cap(changed, sent, verdict)
    if sent.user == "zoë":  # counting spends requests: for one user of seven
        compare_counted(gateway, rules, sent, body, verdict)


def compare_cap(changed, sent, verdict):
    tokens = [value for name, value in changed.items() if name in CAPS]
    if verdict.max_tokens is not None and sent.endpoint != "embeddings":
        assert tokens == [min(verdict.max_tokens, sent.max_tokens or verdict.max_tokens)]


CAPS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def compare_counted(gateway, rules, sent, body, verdict):
    counting = {limit.correction for limit in verdict.limits if not limit.shadow}
    for item in rules.content.corrections:
        if isinstance(item.effect, policy.Limiting):
            assert gateway.counted(sent, body, item) is (item.id in counting), item.id
