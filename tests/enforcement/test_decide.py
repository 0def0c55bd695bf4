"""The reference: scopes, times, precedence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcement import policy
from enforcement.decide import Attributes, Rules, bucket, decide, in_force, matches
from tests.enforcement import generated
from tests.enforcement.world import correction

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALICE = Attributes(
    user="alice",
    organisation="acme",
    key="key-alice",
    application="acme-support",
    use_case="customer-support",
    endpoint="chat.completions",
    model="aurora-large",
)
BLOCK_ALICE = correction(1, policy.Block(), users=policy.Users(users=("alice",)))
LARGE = policy.Functionality(models=("aurora-large",))


def verdict(*corrections, attributes=ALICE):
    content = policy.Content(corrections=tuple(sorted(corrections, key=lambda item: item.id)))
    return decide(attributes, content, now=NOW)


@pytest.mark.parametrize(
    ("users", "reached"),
    [
        (policy.Users(), True),
        (policy.Users(users=("alice",)), True),
        (policy.Users(users=("bob",)), False),
        (policy.Users(organisations=("acme",)), True),
        (policy.Users(users=("bob",), organisations=("acme",)), True),
        (policy.Users(users=("bob",), organisations=("globex",)), False),
        (policy.Users(keys=("key-alice",)), True),
        (policy.Users(keys=("alice",)), False),
        (policy.Users(users=("acme",)), False),
    ],
)
def test_a_user_scope_reaches_whoever_stands_in_any_list(users, reached):
    limit = correction(1, policy.RequestLimit(requests=1, window_seconds=1), users=users)

    assert matches(limit, ALICE) is reached


@pytest.mark.parametrize(
    ("scope", "reached"),
    [
        ({}, True),
        ({"models": ("aurora-large", "aurora-small")}, True),
        ({"models": ("aurora-small",)}, False),
        ({"models": ("aurora-large",), "endpoints": ("embeddings",)}, False),
        ({"models": ("aurora-large",), "endpoints": ("embeddings", "chat.completions")}, True),
        ({"applications": ("acme-support",), "use_cases": ("medical",)}, False),
        ({"applications": ("acme-support",), "use_cases": ("customer-support",)}, True),
    ],
)
def test_a_functionality_scope_needs_every_dimension_that_it_names(scope, reached):
    cap = correction(1, policy.OutputCap(max_tokens=1), functionality=policy.Functionality(**scope))

    assert matches(cap, ALICE) is reached


@pytest.mark.parametrize(
    ("starts", "expires", "at_expiry", "binds"),
    [
        (None, None, "hold", True),
        (1, None, "hold", False),
        (0, None, "hold", True),
        (-1, 1, "lift", True),
        (None, 0, "lift", False),
        (None, -1, "lift", False),
        (None, -1, "hold", True),
    ],
)
def test_a_correction_binds_from_its_start_and_beyond_its_expiry_unless_it_lifts(
    starts, expires, at_expiry, binds
):
    times = {
        name: None if hours is None else NOW + timedelta(hours=hours)
        for name, hours in {"starts_at": starts, "expires_at": expires}.items()
    }
    one = correction(1, policy.OutputCap(max_tokens=1), at_expiry=at_expiry, **times)

    assert in_force(one, NOW) is binds


SUSPEND = correction(9, policy.Suspend(), functionality=LARGE)
BLOCK = correction(8, policy.Block(), users=policy.Users(users=("alice",)))
FORBID = correction(
    7, policy.ForbidUse(), functionality=policy.Functionality(use_cases=("customer-support",))
)
TOOLS = correction(6, policy.ToolsOff())
LIMIT = correction(5, policy.RequestLimit(requests=1, window_seconds=1))


@pytest.mark.parametrize(
    ("corrections", "status", "code", "speaks"),
    [
        ([SUSPEND, BLOCK, FORBID, TOOLS, LIMIT], 503, "model_suspended", SUSPEND),
        ([BLOCK, FORBID, TOOLS, LIMIT], 403, "access_restricted", BLOCK),
        ([FORBID, TOOLS, LIMIT], 403, "use_case_restricted", FORBID),
        ([TOOLS, LIMIT], 403, "tools_restricted", TOOLS),
    ],
)
def test_shutdown_goes_before_access_before_use_before_capability(corrections, status, code, speaks):
    found = verdict(*corrections, attributes=replace(ALICE, tools=("shell",)))

    assert (found.action, found.status, found.code, found.correction) == ("refuse", status, code, speaks.id)


def test_of_two_corrections_of_one_rank_the_lower_id_speaks():
    other = correction(2, policy.Block(), users=policy.Users(organisations=("acme",)))

    assert verdict(other, BLOCK_ALICE).correction == "COR-0001.1"


@pytest.mark.parametrize(
    ("off", "offered", "action"),
    [
        ((), (), "allow"),
        ((), ("weather",), "refuse"),
        (("shell",), ("weather",), "allow"),
        (("shell",), ("weather", "shell"), "refuse"),
    ],
)
def test_tools_switched_off_refuse_only_requests_that_offer_them(off, offered, action):
    found = verdict(correction(1, policy.ToolsOff(tools=off)), attributes=replace(ALICE, tools=offered))

    assert found.action == action


def test_the_smallest_cap_and_the_tightest_limit_count_first():
    found = verdict(
        correction(1, policy.OutputCap(max_tokens=100)),
        correction(2, policy.OutputCap(max_tokens=50)),
        correction(3, policy.RequestLimit(requests=10, window_seconds=1)),
        correction(4, policy.RequestLimit(requests=10, window_seconds=60, per="organisation")),
    )

    assert found.max_tokens == 50
    assert [(limit.correction, limit.subject) for limit in found.limits] == [
        ("COR-0004.1", "acme"),
        ("COR-0003.1", "alice"),
    ]


def reroute(number, source, target, **more):
    scope = policy.Functionality(models=(source,))
    return correction(number, policy.Reroute(fallback_model=target), functionality=scope, **more)


def test_a_rerouted_request_must_satisfy_what_applies_to_both_models():
    small = policy.Functionality(models=("aurora-small",))
    to_small = reroute(1, "aurora-large", "aurora-small")

    assert verdict(to_small).reroute_to == "aurora-small"
    assert verdict(to_small, correction(2, policy.Suspend(), functionality=small)).status == 503
    assert verdict(to_small, BLOCK).code == "access_restricted"


def test_reroutes_are_followed_and_a_circle_of_them_is_a_shutdown():
    chain = verdict(reroute(1, "aurora-large", "b"), reroute(2, "b", "c"))
    circle = verdict(reroute(1, "aurora-large", "b"), reroute(2, "b", "aurora-large"))

    assert chain.reroute_to == "c"
    assert (circle.action, circle.status, circle.correction) == ("refuse", 503, "COR-0002.1")


def test_a_shadow_correction_is_only_told():
    found = verdict(replace_mode(BLOCK_ALICE, "shadow"))

    assert (found.action, found.matched, found.shadow) == ("allow", (), ("COR-0001.1",))


def replace_mode(one, mode):
    return correction(1, one.effect, users=one.users, mode=mode)


def test_raising_a_percentage_keeps_everybody_who_was_reached():
    reached = [{user for user in map(str, range(500)) if bucket(user) < share} for share in (1, 10, 50, 100)]

    assert all(small <= large for small, large in pairwise(reached))
    assert len(reached[3]) == 500
    assert 150 < len(reached[2]) < 350


@given(generated.contents(), generated.attributes())
def test_nobody_is_refused_by_a_correction_that_does_not_match(content, attributes):
    found = decide(attributes, content, now=NOW)

    assert found.action == "allow" or found.correction is not None
    if found.correction is not None:
        one = next(item for item in content.corrections if item.id == found.correction)
        assert one.mode == "enforce"
        assert isinstance(one.effect, policy.Reroute) or found.correction in found.matched


@given(generated.contents(), generated.attributes(), st.data())
def test_another_correction_never_loosens_anything(content, attributes, data):
    dropped = data.draw(st.sampled_from(content.corrections)) if content.corrections else None
    fewer = policy.Content(corrections=tuple(item for item in content.corrections if item is not dropped))
    before, after = (decide(attributes, one, now=NOW) for one in (fewer, content))

    if before.action == "refuse":
        assert after.action == "refuse"
    elif after.action == "allow":
        assert (after.max_tokens or 10**9) <= (before.max_tokens or 10**9)
        assert set(before.limits) <= set(after.limits)


@given(generated.contents(), generated.attributes())
def test_the_order_of_names_in_a_list_means_nothing(content, attributes):
    turned = policy.Content(
        corrections=tuple(
            policy.convert(_turn(msgspec.to_builtins(item)), policy.Correction)
            for item in content.corrections
        )
    )

    assert decide(attributes, turned, now=NOW) == decide(attributes, content, now=NOW)


@given(generated.contents(), generated.attributes())
def test_rules_made_ready_say_what_the_reference_says(content, attributes):
    assert Rules(content).decide(attributes, now=NOW) == decide(attributes, content, now=NOW)


def _turn(value):
    if isinstance(value, dict):
        return {name: _turn(item) for name, item in value.items()}
    return [_turn(item) for item in reversed(value)] if isinstance(value, list) else value
