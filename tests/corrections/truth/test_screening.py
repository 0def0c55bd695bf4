"""A request that was served although its policy refuses it is found, and nothing else is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from corrections.models import (
    Acknowledgement,
    Alarm,
    AlarmKind,
    Gateway,
    Outcome,
    PolicyVersion,
    TrafficMatch,
)
from corrections.publishing import alarms, screening, traffic
from corrections.publishing.evaluate import evaluate
from corrections.publishing.missed import QUIET
from corrections.states import State
from enforcement.decide import bucket
from tests.corrections import gateways
from tests.corrections.factories import fresh, make_correction
from tests.corrections.segments.factories import lists_of, make_segment
from tests.corrections.truth.said import refused, said

pytestmark = pytest.mark.django_db


def take_in(*records):
    return traffic.take_in(records, now=timezone.now())


def served(**changes):
    """A request that was served, decided by the newest policy unless another is named."""
    newest = PolicyVersion.objects.values_list("version", flat=True).first()
    return said(**{"policy": newest} | changes)


def blocked(**changes):
    """A correction in force for some minutes that blocks alice."""
    return make_correction(**{"users": {"users": ["alice"]}} | changes)


def missed():
    found = TrafficMatch.objects.filter(outcome=Outcome.MISSED)
    return list(found.order_by("pk").values_list("correction", "record__user"))


def test_a_blocked_user_who_was_served_is_found():
    correction = blocked()

    take_in(served(), served(user="bob"))

    assert missed() == [(str(correction), "alice")]


def test_what_was_refused_or_failed_is_no_trouble():
    correction = blocked()

    take_in(refused(correction), served(status=401), served(status=500))

    assert missed() == []


def test_the_policy_that_decided_counts_not_the_newest():
    first = make_correction(users={"users": ["somebody"]})
    before = fresh(first).policy_version
    blocked()

    take_in(served(policy=before))

    assert missed() == []


@pytest.mark.parametrize("kind", ["request_limit", "output_cap"])
def test_what_only_limits_or_caps_lets_requests_through(kind):
    parameters = {
        "request_limit": {"requests": 1, "window_seconds": 60, "per": "user"},
        "output_cap": {"max_tokens": 1},
    }
    blocked(kind=kind, parameters=parameters[kind])

    take_in(*[served() for _ in range(5)])

    assert missed() == []


def test_a_dry_run_lets_requests_through():
    blocked(mode="shadow")

    take_in(served())

    assert missed() == []


def test_a_share_of_users_is_taken_by_the_same_rule_as_at_the_gateway():
    users = [f"user-{number}" for number in range(40)]
    blocked(users={"users": users}, percentage=30)

    take_in(*[served(user=user) for user in users])

    assert {user for _, user in missed()} == {user for user in users if bucket(user) < 30}
    assert missed()


def test_tools_count_only_where_they_are_offered():
    blocked(kind="tools_off", parameters={"tools": ["search"]})

    take_in(served(), served(tools=("other",)), served(user="alice", tools=("search",)))

    assert len(missed()) == 1


@pytest.mark.parametrize(("offset", "found"), [(-10, False), (-1.5, False), (1.5, False), (10, True)])
def test_near_a_start_nobody_can_say(clock, offset, found):
    start = timezone.now() + timedelta(minutes=5)
    make_correction(state=State.ENFORCING, users={"users": ["alice"]}, starts_at=start)
    clock.move_to(start + timedelta(minutes=1), tick=False)

    take_in(served(at=start + timedelta(seconds=offset)))

    assert bool(missed()) is found


@pytest.mark.parametrize(("offset", "found"), [(-10, True), (-1.5, False), (1.5, False), (10, False)])
def test_near_an_end_nobody_can_say(clock, offset, found):
    correction = blocked(at_expiry="lift")
    clock.move_to(correction.expires_at + timedelta(minutes=1), tick=False)

    take_in(served(at=correction.expires_at + timedelta(seconds=offset)))

    assert bool(missed()) is found


def test_an_exemption_spares():
    correction = blocked()
    exempting = {"corrections": [correction.reference]}
    make_correction(kind="exempt", parameters=exempting, users={"users": ["alice"]}, at_expiry="lift")

    take_in(served())

    assert missed() == []


def test_where_the_policy_is_not_named_the_one_acknowledged_at_that_time_counts():
    correction = blocked()
    held = Acknowledgement.objects.get()
    late, early = held.at + timedelta(seconds=5), held.at - timedelta(seconds=5)

    take_in(
        said(at=early), said(at=held.at + timedelta(seconds=1)), said(at=late), said(at=late, gateway="g9")
    )

    assert missed() == [(str(correction), "alice")]
    assert TrafficMatch.objects.get(outcome=Outcome.MISSED).at == late


def test_a_change_of_policy_right_after_leaves_it_undecided():
    blocked()
    held = Acknowledgement.objects.get()
    at = held.at + timedelta(seconds=30)
    Acknowledgement.objects.create(
        gateway=Gateway.objects.get(), version=2, digest="x", at=at + timedelta(seconds=1)
    )

    take_in(said(at=at))

    assert missed() == []


def test_a_policy_that_is_not_ours_is_not_judged():
    blocked()

    take_in(served(policy=99))

    assert missed() == []


def test_equal_requests_are_asked_once(monkeypatch):
    blocked()
    screening._screen.cache_clear()
    asked = []
    plain = screening.Rules.decide
    monkeypatch.setattr(
        screening.Rules, "decide", lambda *args, **named: asked.append(1) or plain(*args, **named)
    )

    take_in(*[served(user="bob") for _ in range(500)], *[served(user="carol") for _ in range(500)])

    assert len(asked) == 2


def test_a_thousand_records_cost_a_handful_of_questions(django_assert_max_num_queries):
    blocked()
    page = [served(user=f"user-{number % 50}") for number in range(1000)]

    with django_assert_max_num_queries(14):
        take_in(*page)


def test_it_is_an_alarm_with_examples_until_it_has_been_quiet_for_a_while(clock):
    correction = blocked()
    clock.move_to(timezone.now() + timedelta(minutes=1), tick=False)
    take_in(served(ago=10))

    alarms.settle(now=timezone.now())

    alarm = Alarm.objects.get(kind=AlarmKind.ALLOWED)
    assert (alarm.target, alarm.detail) == (correction, "gateway-1 let requests through that it refuses.")
    (example,) = alarm.examples
    assert (example["user"], example["model"]) == ("alice", "aurora-large")
    clock.move_to(timezone.now() + QUIET, tick=False)
    alarms.settle(now=timezone.now())
    assert not Alarm.objects.open().filter(kind=AlarmKind.ALLOWED).exists()


def test_what_is_told_late_is_an_alarm_all_the_same(clock):
    blocked()
    at = timezone.now() + timedelta(seconds=20)
    clock.move_to(timezone.now() + timedelta(hours=1), tick=False)

    take_in(served(at=at))
    alarms.settle(now=timezone.now())

    assert Alarm.objects.get(kind=AlarmKind.ALLOWED).since == at


def test_nothing_turns_active_while_a_gateway_lets_matching_requests_through(clock):
    correction = make_correction(state=State.ENFORCING, users={"users": ["alice"]})
    clock.move_to(timezone.now() + timedelta(seconds=30), tick=False)
    take_in(served())

    gateways.show()

    assert fresh(correction).state == State.ENFORCING
    assert "let a matching request through" in correction.at_gateways.get().detail
    clock.move_to(timezone.now() + QUIET + timedelta(seconds=1), tick=False)
    gateways.tell(gateways.report())
    evaluate(now=timezone.now())
    assert fresh(correction).state == State.ACTIVE


def test_whoever_stands_in_a_segment_is_found():
    blocked(users={"lists": lists_of(make_segment("alice", "dan"))})

    take_in(served(), served(user="bob"), served(user="dan"))

    assert {user for _, user in missed()} == {"alice", "dan"}
