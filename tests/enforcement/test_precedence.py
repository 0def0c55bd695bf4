"""The reference over the wider toolkit: access lists, exemptions, grace, shutdowns and their fallbacks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from enforcement import policy
from enforcement.decide import Attributes, decide, matches
from enforcement.envoy.corrections import _milliseconds
from enforcement.refusals import refusal, retry_after, warning
from tests.enforcement.world import correction

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ALICE = Attributes(
    user="alice",
    organisation="acme",
    key="key-alice",
    application="acme-support",
    use_case="customer-support",
    endpoint="chat.completions",
    model="aurora-large",
    region="eu",
    tier="free",
    platform="api",
)
LARGE = policy.Functionality(models=("aurora-large",))
ONLY_ALICE = policy.Users(users=("alice",))
ONLY_BOB = policy.Users(users=("bob",))
NAMES = policy.subject_list(["alice", "zoë"])
ADDRESS = policy.address(NAMES)
PATTERNS = policy.PatternsRef(attachment=ADDRESS, name="weapons", version=1)


class Attached:
    def subjects(self, address):
        return {ADDRESS: policy.read_subject_list(NAMES)}[address]


def verdict(*corrections, now=NOW, **asked):
    content = policy.Content(corrections=tuple(sorted(corrections, key=lambda item: item.id)))
    return decide(replace(ALICE, **asked), content, now=now, attachments=Attached())


@pytest.mark.parametrize(
    ("users", "reached"),
    [
        (policy.Users(regions=("eu",)), True),
        (policy.Users(regions=("us",)), False),
        (policy.Users(tiers=("free",)), True),
        (policy.Users(tiers=("paid",), regions=("eu",)), True),
        (policy.Users(lists=(policy.SubjectList(of="user", attachment=ADDRESS, count=2),)), True),
        (policy.Users(lists=(policy.SubjectList(of="organisation", attachment=ADDRESS, count=2),)), False),
    ],
)
def test_a_user_scope_names_regions_tiers_and_attached_lists(users, reached):
    block = correction(1, policy.Block(), users=users)

    assert matches(block, ALICE, Attached()) is reached


def test_a_list_that_is_not_at_hand_is_an_error_and_no_permission():
    block = correction(
        1,
        policy.Block(),
        users=policy.Users(lists=(policy.SubjectList(of="user", attachment=ADDRESS, count=2),)),
    )

    with pytest.raises(policy.PolicyError, match="not at hand"):
        decide(ALICE, policy.Content(corrections=(block,)), now=NOW)


@pytest.mark.parametrize(
    ("scope", "reached"),
    [
        (policy.Functionality(platforms=("api",)), True),
        (policy.Functionality(platforms=("app",)), False),
        (policy.Functionality(features=("mcp", "streaming")), True),
        (policy.Functionality(features=("mcp",)), False),
    ],
)
def test_a_functionality_scope_names_platforms_and_features(scope, reached):
    limit = correction(1, policy.RequestLimit(requests=1, window_seconds=1), functionality=scope)

    assert matches(limit, replace(ALICE, features=("streaming",))) is reached


def test_an_allow_list_refuses_whoever_it_does_not_name():
    allow = correction(1, policy.Allow(), users=ONLY_ALICE, functionality=LARGE)

    assert verdict(allow).action == "allow"
    assert verdict(allow, user="bob").code == "access_restricted"
    assert verdict(allow, user="bob", model="aurora-small").action == "allow"


def test_two_allow_lists_let_through_who_stands_on_both():
    lists = (
        correction(1, policy.Allow(), users=policy.Users(users=("alice", "bob"))),
        correction(2, policy.Allow(), users=policy.Users(users=("bob", "carol"))),
    )

    assert [verdict(*lists, user=name).action for name in ("alice", "bob", "carol")] == [
        "refuse",
        "allow",
        "refuse",
    ]


def test_an_exemption_spares_from_what_it_names_and_from_nothing_else():
    block, other = (
        correction(1, policy.Block(), users=ONLY_ALICE),
        correction(2, policy.FeatureOff(features=("mcp",))),
    )
    exempt = correction(3, policy.Exempt(corrections=("COR-0001",)), users=ONLY_ALICE)

    assert verdict(block, exempt).action == "allow"
    assert verdict(block, exempt).exempted == ("COR-0001.1",)
    assert verdict(block, other, exempt, features=("mcp",)).correction == "COR-0002.1"


def test_an_exemption_spares_only_in_its_own_scope_and_time():
    block = correction(1, policy.Block(), users=policy.Users(organisations=("acme",)))
    exempt = correction(
        2,
        policy.Exempt(corrections=("COR-0001",)),
        users=ONLY_ALICE,
        functionality=LARGE,
        expires_at=LATER,
        at_expiry="lift",
    )

    assert verdict(block, exempt).action == "allow"
    assert verdict(block, exempt, user="bob").action == "refuse"
    assert verdict(block, exempt, model="aurora-small").action == "refuse"
    assert verdict(block, exempt, now=LATER).action == "refuse"


def test_an_exemption_from_a_shutdown_leaves_the_fallback_alone():
    reroute = correction(1, policy.Reroute(fallback_model="aurora-small"), functionality=LARGE)
    exempt = correction(2, policy.Exempt(corrections=("COR-0001",)), users=ONLY_ALICE)

    assert verdict(reroute, exempt).reroute_to is None
    assert verdict(reroute, exempt, user="bob").reroute_to == "aurora-small"


def test_in_its_grace_period_a_correction_warns_and_then_refuses():
    forbid = correction(
        1,
        policy.ForbidUse(),
        functionality=policy.Functionality(use_cases=("customer-support",)),
        grace_until=LATER,
    )

    before = verdict(forbid)
    assert before.action == "allow"
    assert [(each.correction, each.since) for each in before.warnings] == [("COR-0001.1", LATER)]
    assert warning("COR-0001.1", LATER) == "COR-0001.1; from=2026-03-01T13:00:00Z"
    assert verdict(forbid, now=LATER).action == "refuse"
    assert verdict(forbid, use_case="research").warnings == ()


@pytest.mark.parametrize(
    ("accepted", "declared", "action"),
    [((), "", "refuse"), ((), "research", "allow"), (("research",), "", "refuse"),
     (("research",), "research", "allow"), (("research",), "medical", "refuse")],
)  # fmt: skip
def test_a_use_has_to_be_declared(accepted, declared, action):
    assert verdict(correction(1, policy.RequireUse(use_cases=accepted)), use_case=declared).action == action


@pytest.mark.parametrize(
    ("effect", "status", "code"),
    [
        (policy.Suspend(), 503, "model_suspended"),
        (policy.Halt(), 503, "inference_halted"),
        (policy.Decommission(), 410, "model_decommissioned"),
    ],
)
def test_each_depth_of_a_shutdown_says_what_it_is(effect, status, code):
    stopped = verdict(correction(1, effect, functionality=LARGE))

    assert (stopped.status, stopped.code) == (status, code)


def test_a_market_removal_leaves_other_platforms_alone():
    scope = policy.Functionality(models=("aurora-large",), platforms=("app",))
    removal = correction(1, policy.MarketRemoval(), functionality=scope)

    assert verdict(removal).action == "allow"
    assert verdict(removal, platform="app").code == "model_withdrawn"


def test_a_shutdown_answers_each_customer_by_its_own_fallback_and_tells_the_others_where_to_turn():
    effect = policy.Halt(
        fallback_models=(policy.CustomerFallback(organisation="acme", model="aurora-small"),),
        fallback_address="https://status.example.org",
    )
    halt = correction(1, effect, functionality=LARGE)

    assert verdict(halt).reroute_to == "aurora-small"
    assert verdict(halt, organisation="globex").code == "inference_halted"
    assert refusal(halt)["error"]["fallback"] == "https://status.example.org"


def test_a_second_shutdown_without_a_fallback_is_the_stricter_one():
    soft = policy.Suspend(
        fallback_models=(policy.CustomerFallback(organisation="acme", model="aurora-small"),)
    )
    both = (correction(1, soft, functionality=LARGE), correction(2, policy.Suspend(), functionality=LARGE))

    assert verdict(*both).correction == "COR-0002.1"


def test_what_binds_at_the_fallback_binds_the_rerouted_request():
    reroute = correction(1, policy.Downgrade(fallback_model="aurora-small"), functionality=LARGE)
    block = correction(
        2, policy.Block(), users=ONLY_ALICE, functionality=policy.Functionality(models=("aurora-small",))
    )

    assert verdict(reroute, block).correction == "COR-0002.1"


@pytest.mark.parametrize(
    ("effect", "within", "beyond"),
    [
        (policy.InputCap(max_bytes=10), {"body_bytes": 10}, {"body_bytes": 11}),
        (policy.TurnLimit(turns=5), {"turns": 5}, {"turns": 6}),
        (policy.LoopCap(turns=0), {"tool_turns": 0}, {"tool_turns": 1}),
        (
            policy.FeatureOff(features=("mcp",)),
            {"features": ("streaming",)},
            {"features": ("streaming", "mcp")},
        ),
    ],
)
def test_caps_refuse_what_is_beyond_them(effect, within, beyond):
    assert verdict(correction(1, effect), **within).action == "allow"
    assert verdict(correction(1, effect), **beyond).action == "refuse"


@pytest.mark.parametrize("effect", [policy.TurnLimit(turns=5), policy.LoopCap(turns=5)])
def test_where_turns_were_not_counted_the_content_filter_is_asked(effect):
    assert verdict(correction(1, effect)).by_filter
    assert not verdict(correction(1, effect), turns=1, tool_turns=0).by_filter


def test_filters_come_in_the_order_of_precedence_and_dry_runs_are_among_them():
    found = verdict(
        correction(1, policy.SystemPrompt(text="Be careful.")),
        correction(2, policy.OutputFilter(patterns=PATTERNS), mode="shadow"),
        correction(3, policy.InputFilter(patterns=PATTERNS)),
    )

    assert [item.id for item in found.filters] == ["COR-0003.1", "COR-0002.1", "COR-0001.1"]
    assert found.by_filter
    assert found.shadow == ()


@pytest.mark.parametrize("per", ["user", "organisation", "key", "all"])
def test_limits_count_for_whom_they_say(per):
    (limit,) = verdict(correction(1, policy.TokenLimit(tokens=100, window_seconds=60, per=per))).limits

    assert limit.subject == {"user": "alice", "organisation": "acme", "key": "key-alice", "all": "all"}[per]
    assert (limit.kind, limit.amount, limit.metric) == ("token_limit", 100, "total")


def test_a_limit_in_a_dry_run_counts_and_says_so():
    (limit,) = verdict(correction(1, policy.ConcurrencyLimit(requests=2), mode="shadow")).limits

    assert limit.shadow
    assert limit.window_seconds == 0


def test_only_a_limit_or_a_suspension_knows_when_to_try_again():
    effects = [
        policy.TokenLimit(tokens=5, window_seconds=60),
        policy.ConcurrencyLimit(requests=1),
        policy.Suspend(retry_after_seconds=7),
        policy.Block(),
    ]

    assert [retry_after(correction(1, each, users=ONLY_BOB, functionality=LARGE)) for each in effects] == [
        60,
        1,
        7,
        None,
    ]


def test_the_gateways_milliseconds_let_nothing_start_or_end_early():
    whole = int(NOW.timestamp()) * 1000

    assert _milliseconds(NOW) == whole
    assert _milliseconds(NOW + timedelta(milliseconds=123)) == whole + 123
    assert _milliseconds(NOW + timedelta(microseconds=1)) == whole + 1
