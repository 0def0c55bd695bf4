"""The last day before the whole policy: with a correction and without it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from corrections import actions
from corrections.panels.impact import impact_panel
from corrections.selectors import impact
from corrections.selectors.impact import seen_organisations
from corrections.states import Action
from corrections.terms import Terms
from corrections.validation import spec
from tests.corrections import factories
from tests.corrections.factories import make_terms
from tests.corrections.segments.factories import lists_of, make_segment
from tests.corrections.test_impact import estimate, everyone, seen
from tests.incidents.factories import make_commander, make_model

pytestmark = pytest.mark.django_db
LARGE, SMALL = "aurora-large", "aurora-small"


@pytest.fixture
def models():
    return make_model(name=LARGE), make_model(name=SMALL)


def shutdown(**changes):
    return everyone("suspend", functionality={"models": [LARGE]}, **changes)


def impose(**changes):
    return factories.decide(
        factories.make_proposal(terms=make_terms(narrower_rejected="Evaded twice.", **changes))
    )


def test_what_is_refused_already_is_not_counted_again():
    seen("alice", times=3)
    seen("bob", times=2)
    impose(users={"users": ["alice"]})

    found = estimate(users={"organisations": ["acme"]})

    assert found.touched == 2
    assert found.outcomes == {"refused": 2, "kept": 3}
    assert "3 more are refused already, and stay refused." in found.hints


def test_a_dry_run_is_estimated_as_if_it_were_enforced():
    seen("alice", times=2)

    assert estimate(users={"users": ["alice"]}, mode="shadow").outcomes == {"refused": 2}


def test_what_another_dry_run_counts_refuses_nobody():
    seen("alice")
    impose(users={"users": ["alice"]}, mode="shadow")

    assert estimate(users={"users": ["alice"]}).outcomes == {"refused": 1}


def test_times_that_lie_ahead_do_not_make_it_harmless():
    seen("alice")
    now = timezone.now()
    later = {"starts_at": now + timedelta(hours=1), "grace_until": now + timedelta(hours=2)}

    assert estimate(users={"users": ["alice"]}, **later).touched == 1


def test_an_exemption_counts_whom_it_spares():
    seen("alice", times=2)
    seen("bob", times=3)
    block = impose(users={"organisations": ["acme"]})

    found = estimate(
        kind="exempt",
        users={"users": ["bob"]},
        parameters={"corrections": [block.reference]},
        at_expiry="lift",
    )

    assert found.outcomes == {"spared": 3}
    assert found.without_fallback == ()


def test_whom_an_exemption_spares_is_not_touched_by_its_correction():
    seen("bob", times=3)
    block = impose(users={"organisations": ["acme"]})
    impose(
        kind="exempt",
        users={"users": ["bob"]},
        parameters={"corrections": [block.reference]},
        at_expiry="lift",
    )
    half = factories.fresh(block)

    found = impact(spec(Terms.of(half), policy_id=f"{half.reference}.2"), now=timezone.now())

    assert found.touched == 0


@pytest.mark.usefixtures("models")
def test_a_customers_own_fallback_counts_as_one():
    seen("alice", times=2)
    seen("carol")
    own = {"parameters": {"fallback_models": {"acme": SMALL}}}

    found = estimate(**shutdown(**own))

    assert found.outcomes == {"rerouted": 2, "refused": 1}
    assert found.without_fallback == ("globex",)
    assert {each.name: each.fallback for each in found.organisations} == {"acme": SMALL, "globex": ""}


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("reroute", {"fallback_model": SMALL}),
        ("suspend", {"fallback_models": [{"organisation": "acme", "model": SMALL}]}),
    ],
)
@pytest.mark.usefixtures("models")
def test_what_holds_for_the_fallback_holds_for_those_who_are_sent_there(kind, parameters):
    seen("alice", times=2)
    impose(kind=kind, users={}, functionality={"models": [LARGE]}, parameters=parameters)

    found = estimate(users={"users": ["alice"]}, functionality={"models": [SMALL]})

    assert found.outcomes == {"refused": 2}


def test_a_new_version_is_compared_with_the_one_it_replaces():
    for number in range(100):
        seen(f"user-{number}")
    live = impose(users={"keys": [f"key-user-{number}" for number in range(100)]})
    half = actions.draft_step(correction_id=live.pk, percentage=50, by=make_commander())

    found = impact(spec(Terms.of(half), policy_id=half.policy_id), now=timezone.now())

    assert set(found.outcomes) == {"spared", "kept"}
    assert found.outcomes["spared"] + found.outcomes["kept"] == 100
    assert 30 < found.outcomes["spared"] < 70


def test_a_lift_is_estimated_by_what_it_gives_back():
    seen("alice", times=4)
    live = impose(users={"users": ["alice"]})

    asked = actions.propose_lift(correction_id=live.pk, reason="Fixed.", by=make_commander())

    assert asked.impact["touched"] == 4
    assert asked.action == Action.LIFT


def test_it_names_the_corrections_that_reach_the_same_requests():
    seen("alice", times=2)
    seen("carol")
    cap = impose(kind="output_cap", users={"organisations": ["acme"]}, parameters={"max_tokens": 9})
    impose(users={"users": ["nobody"]})

    found = estimate(users={"users": ["alice", "carol"]})

    assert [(each.correction, each.requests) for each in found.overlaps] == [(cap.policy_id, 2)]


def test_an_allow_list_touches_everybody_else():
    seen("alice", times=2)
    seen("carol", times=3)

    assert estimate(kind="allow", users={"organisations": ["acme"]}).outcomes == {"refused": 3}


def test_wider_scopes_are_replayed_too():
    seen("alice", region="eu", platform="api", features=["streaming"])
    seen("bob", region="us", platform="api", features=["streaming"])
    seen("carol", region="eu", platform="reseller", features=[])

    assert estimate(users={"regions": ["eu"]}).touched == 2
    assert estimate(users={"regions": ["eu"]}, functionality={"platforms": ["api"]}).touched == 1
    assert estimate(**everyone("feature_off", parameters={"features": ["streaming"]})).touched == 2


def test_a_segment_is_replayed_by_its_names():
    seen("alice", times=2)
    seen("carol")
    segment = make_segment("alice", "somebody")

    assert estimate(users={"lists": lists_of(segment)}).touched == 2


def test_a_cap_on_requests_counts_the_longer_ones():
    seen("alice", body_bytes=100)
    seen("bob", body_bytes=5000)
    seen("carol", body_bytes=50_000)

    found = estimate(**everyone("input_cap", parameters={"max_bytes": 4999}))

    assert (found.touched, found.users) == (2, 2)


def test_a_cap_on_answers_counts_those_that_could_have_been_longer():
    seen("alice", tokens_out=100)
    seen("bob", tokens_out=900)
    seen("carol", max_tokens=50)
    seen("dave")

    found = estimate(**everyone("output_cap", parameters={"max_tokens": 200}))

    assert found.outcomes == {"capped": 2}


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def limited(clock, **changes):
    clock.move_to(NOON + timedelta(hours=1), tick=False)
    return impact(spec(make_terms(users={}, **changes)), now=timezone.now())


def minute(user, number, *, times, **changes):
    seen(user, times=times, at=NOON + timedelta(minutes=number, seconds=1), **changes)


def test_a_limit_tells_how_many_requests_were_beyond_it(clock):
    clock.move_to(NOON, tick=False)
    minute("alice", 1, times=7)
    minute("alice", 2, times=3)
    minute("bob", 1, times=6)

    each = limited(clock, kind="request_limit", parameters={"requests": 5, "window_seconds": 60})
    together = limited(
        clock,
        kind="request_limit",
        parameters={"requests": 5, "window_seconds": 60, "per": "organisation"},
    )
    hour = limited(
        clock, kind="request_limit", parameters={"requests": 5, "window_seconds": 3600, "per": "all"}
    )

    assert each.exceeding == {"requests": 2 + 1, "tokens": 0}
    assert together.exceeding == {"requests": 8, "tokens": 0}
    assert hour.exceeding == {"requests": 11, "tokens": 0}
    assert each.outcomes == {"limited": 16}


def test_a_token_limit_tells_how_many_tokens_were_too_many(clock):
    clock.move_to(NOON, tick=False)
    minute("alice", 1, times=4, tokens_in=10, tokens_out=90)
    minute("bob", 1, times=1, tokens_in=10, tokens_out=90)

    total = limited(clock, kind="token_limit", parameters={"tokens": 200, "window_seconds": 60})
    read = limited(
        clock, kind="token_limit", parameters={"tokens": 20, "window_seconds": 60, "metric": "input"}
    )

    assert total.exceeding == {"requests": 2, "tokens": 200}
    assert read.exceeding == {"requests": 2, "tokens": 20}


def test_one_record_can_stand_for_many():
    seen("alice", weight=50)
    seen("bob", weight=0)  # kept as an example only

    found = estimate(users={"organisations": ["acme"]})

    assert (found.requests, found.touched, found.users) == (50, 50, 1)


@pytest.mark.parametrize(
    ("kind", "parameters", "said"),
    [
        ("concurrency_limit", {"requests": 2}, "How long requests lasted is not kept"),
        ("turn_limit", {"turns": 5}, "How long conversations were is not kept"),
        ("classifier", {"name": "bio"}, "Texts are never kept"),
    ],
)
def test_it_says_what_nobody_can_know(kind, parameters, said):
    seen("alice")
    rate = {"expected_false_positive_percent": 1.0} if kind == "classifier" else {}

    found = estimate(**everyone(kind, parameters=parameters, **rate))

    assert found.exceeding is None
    assert any(said in hint for hint in found.hints)


def test_an_estimate_from_before_it_knew_more_is_still_shown():
    old = {"requests": 5, "touched": 2, "share": 0.4, "users": 1, "keys": 1, "organisation_count": 0}
    old |= {"organisations": [], "without_fallback": [], "hints": []}

    panel = impact_panel(old)

    assert (panel.share, panel.outcomes, panel.beyond) == ("40 %", [], "")


def test_other_corrections_cost_no_further_questions(django_assert_max_num_queries):
    seen("alice", times=2)
    impose(users={"users": [f"user-{number}" for number in range(300)]})

    with django_assert_max_num_queries(4):
        estimate(users={"users": ["alice"]})


def test_organisations_that_use_a_model_are_known():
    seen("alice")
    seen("carol", model=SMALL)

    assert seen_organisations([LARGE]) == ["acme"]
