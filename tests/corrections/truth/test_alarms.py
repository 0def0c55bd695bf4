"""Every fault is one alarm: raised once, seen by people, cleared when it has healed."""

from datetime import UTC, timedelta

import pytest
from django.utils import timezone

from corrections import actions
from corrections.models import Alarm, AlarmKind, Gateway, Hub, PolicyVersion
from corrections.publishing import alarms, hubs
from corrections.publishing.evaluate import evaluate
from corrections.publishing.faults import SETTLING
from corrections.states import State
from enforcement.report import PolicyRef
from irapp.accounts.models import RoleCode
from irapp.audit.models import Event
from irapp.common.errors import ConflictError, NotPermittedError
from tests.corrections import gateways
from tests.corrections.factories import (
    fresh,
    lift,
    make_commander,
    make_correction,
    make_executive,
    make_officer,
)
from tests.corrections.test_race import together
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db
HUB = "http://hub.example"


@pytest.fixture(autouse=True)
def _hub(clock):
    """A hub that has just answered."""
    answer(clock)


def answer(clock, **held):
    newest = PolicyVersion.objects.first()
    ref = PolicyRef(version=newest.version, digest=newest.digest) if newest else None
    hubs.note_policy(HUB, held.get("held", ref), now=timezone.now())


def after(clock, seconds):
    clock.move_to(timezone.now() + timedelta(seconds=seconds), tick=False)


def look(clock, *, reports=True, **changes):
    """Let everybody say how it is, a moment later than before, then look."""
    after(clock, 0.1)
    answer(clock)
    if reports:
        gateways.tell(gateways.report() | changes)
    evaluate(now=timezone.now())
    alarms.settle(now=timezone.now())


def raised():
    return {(alarm.kind, str(alarm.target)) for alarm in Alarm.objects.open()}


def verbs():
    found = Event.objects.filter(verb__startswith="alarm.").order_by("id")
    return list(found.values_list("verb", flat=True))


def test_while_all_is_well_nothing_is_raised(clock):
    make_correction()

    for _ in range(5):
        after(clock, 2)
        look(clock)

    assert not Alarm.objects.exists()


def test_a_gateway_that_falls_silent_is_one_alarm_whatever_it_no_longer_shows(clock):
    make_correction()
    make_correction()
    after(clock, 6)

    look(clock, reports=False)
    after(clock, 6)
    look(clock, reports=False)

    assert raised() == {("SILENCE", "gateway-1")}
    assert verbs() == ["alarm.raised"]


def test_silence_is_cleared_by_the_next_report_and_recorded(clock):
    make_correction()
    after(clock, 6)
    look(clock, reports=False)

    look(clock)

    alarm = Alarm.objects.get()
    assert alarm.cleared_at == timezone.now()
    assert "reports again" in alarm.cleared_because
    assert verbs() == ["alarm.raised", "alarm.cleared"]
    assert Event.objects.filter(verb="alarm.cleared").get().data["lasted_seconds"] == 6


def test_drift_is_not_called_healed_because_its_gateway_has_fallen_silent(clock):
    correction = make_correction()
    wrong = gateways.report(wrong=[str(correction)])["corrections"]
    look(clock, corrections=wrong)
    after(clock, SETTLING.total_seconds())
    look(clock, corrections=wrong)
    after(clock, 6)

    look(clock, reports=False)

    assert raised() == {("DRIFT", str(correction)), ("SILENCE", "gateway-1")}
    after(clock, 1)
    look(clock)
    assert not raised()


def test_a_rejection_is_not_called_healed_because_its_gateway_has_fallen_silent(clock):
    make_correction()
    look(clock, problems=[{"code": "disk", "detail": "no space left"}])
    after(clock, 6)

    look(clock, reports=False)

    assert raised() == {("REJECTION", "gateway-1"), ("SILENCE", "gateway-1")}


def test_a_fault_that_comes_back_is_an_alarm_of_its_own(clock):
    make_correction()
    for _ in range(2):
        after(clock, 6)
        look(clock, reports=False)
        look(clock)

    assert Alarm.objects.filter(kind=AlarmKind.SILENCE).count() == 2
    assert not raised()


def test_what_a_gateway_no_longer_enforces_is_drift_once_it_lasts(clock):
    correction = make_correction()
    wrong = gateways.report(wrong=[str(correction)])["corrections"]

    look(clock, corrections=wrong)
    assert not raised()
    after(clock, SETTLING.total_seconds())
    look(clock, corrections=wrong)

    assert raised() == {("DRIFT", str(correction))}
    alarm = Alarm.objects.get()
    assert "gateway-1 is not verified" in alarm.detail
    assert alarm.incident_id == correction.package.incident_id
    after(clock, 2)
    look(clock)
    assert not raised()


def test_a_gateway_that_stays_behind_is_drift_since_the_policy_it_lacks(clock):
    make_correction()
    old = gateways.report()["policy"]
    make_correction(state=State.ENFORCING)
    published = PolicyVersion.objects.first().created_at
    after(clock, SETTLING.total_seconds())

    look(clock, policy=old)

    alarm = Alarm.objects.get(kind=AlarmKind.DRIFT)
    assert (alarm.target, alarm.since) == (Gateway.objects.get(), published)
    assert alarm.detail == "It acknowledges policy 1; wanted is 2."


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"envoy": {"version": "x", "live": True, "rejected": 1, "error": "bad matcher"}}, "bad matcher"),
        ({"problems": [{"code": "bad_policy", "detail": "unknown field"}]}, "unknown field"),
        ({"problems": [{"code": "disk", "detail": "no space left"}]}, "no space left"),
    ],
)
def test_a_gateway_that_refuses_what_it_is_given_is_a_rejection(clock, changes, said):
    make_correction()

    look(clock, **changes)

    assert raised() == {("REJECTION", "gateway-1")}
    assert said in Alarm.objects.get().detail


@pytest.mark.parametrize("code", ["envoy_drift", "clock", "attachments_lost", "access_log"])
def test_what_a_gateway_says_against_itself_is_drift(clock, code):
    make_correction()

    look(clock, problems=[{"code": code, "detail": "corrections.json"}])

    assert raised() == {("DRIFT", "gateway-1")}


def test_a_decision_log_that_is_not_whole_is_told_and_hides_no_drift(clock):
    correction = make_correction()
    left_out = {"code": "traffic_left_out", "detail": "2 records are not in the decision log"}
    look(clock, problems=[left_out])
    told = raised()
    wrong = gateways.report(wrong={str(correction)})["corrections"]
    for _ in range(2):
        after(clock, SETTLING.total_seconds())
        look(clock, corrections=wrong, problems=[left_out])
    beside = raised()
    look(clock)

    assert told == {(AlarmKind.DRIFT, "gateway-1")}
    assert beside == {(AlarmKind.DRIFT, "gateway-1"), (AlarmKind.DRIFT, str(correction))}
    assert raised() == set()


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (30, "it is about 30 s ahead of ours"),
        (6, "it is about 10 s ahead of ours"),
        (4, ""),
        (-14, ""),
        (-300, "it is about 300 s behind ours"),
    ],
)
def test_a_clock_that_is_far_from_ours_is_drift_whoever_is_wrong(clock, ahead, said):
    make_correction()
    after(clock, max(0, -ahead) + 0.1)

    look(clock, reported_at=(timezone.now() + timedelta(seconds=ahead)).astimezone(UTC).isoformat())

    assert raised() == ({("DRIFT", "gateway-1")} if said else set())
    assert [alarm.detail for alarm in Alarm.objects.all()] == (
        [f"Its clock is wrong, so starts and ends are: {said}"] if said else []
    )


def test_an_old_report_of_a_gateway_that_is_gone_is_no_wrong_clock(clock):
    make_correction()
    after(clock, 300.1)

    look(clock, live=False, reported_at=(timezone.now() - timedelta(minutes=5)).astimezone(UTC).isoformat())

    assert raised() == {("SILENCE", "gateway-1")}
    assert "clock" not in Alarm.objects.get().detail


def test_a_gateway_whose_reports_cannot_be_taken_in_for_their_time_is_silent_and_it_is_said_why(clock):
    make_correction()
    look(clock)
    for _ in range(12):
        after(clock, 1)
        look(clock, reported_at=(timezone.now() + timedelta(minutes=7)).astimezone(UTC).isoformat())

    assert raised() == {("DRIFT", "gateway-1"), ("SILENCE", "gateway-1")}
    assert all("it is about 300 s ahead of ours" in alarm.detail for alarm in Alarm.objects.open())
    look(clock)
    assert raised() == set()


def test_a_gateway_process_that_is_down_is_drift(clock):
    make_correction()

    look(clock, envoy={"version": "x", "live": False, "rejected": 0, "error": ""})

    assert raised() == {("DRIFT", "gateway-1")}


def test_a_hub_that_does_not_answer_is_an_alarm_and_the_gateways_behind_it_are_not(clock):
    make_correction()
    hubs.note_error(HUB, "connection refused", now=timezone.now())
    after(clock, 8)

    evaluate(now=timezone.now())
    alarms.settle(now=timezone.now())

    assert raised() == {("HUB", HUB)}
    look(clock)
    assert not raised()


def test_with_every_hub_away_nobody_says_that_a_gateway_has_healed(clock):
    make_correction()
    after(clock, 6)
    look(clock, reports=False)
    hubs.note_error(HUB, "connection refused", now=timezone.now())
    after(clock, 8)

    alarms.settle(now=timezone.now())

    assert raised() == {("SILENCE", "gateway-1"), ("HUB", HUB)}


def test_one_hub_of_two_is_enough_to_hear_the_gateways(clock):
    make_correction()
    hubs.note_error("http://other.example", "connection refused", now=timezone.now())
    after(clock, 6)

    look(clock, reports=False)

    assert raised() == {("HUB", "http://other.example"), ("SILENCE", "gateway-1")}


def test_a_hub_that_keeps_an_old_policy_is_an_alarm(clock):
    make_correction()
    answer(clock)
    old = PolicyRef(version=1, digest=PolicyVersion.objects.get().digest)
    make_correction(state=State.ENFORCING)
    after(clock, SETTLING.total_seconds())

    answer(clock, held=old)
    alarms.settle(now=timezone.now())

    assert ("HUB", HUB) in raised()
    assert Alarm.objects.get(kind=AlarmKind.HUB).detail == "It holds policy 1; wanted is 2."


def test_a_policy_that_was_never_published_here_is_a_conflict(clock):
    make_correction()

    answer(clock, held=PolicyRef(version=9, digest="sha256:other"))
    alarms.settle(now=timezone.now())

    assert raised() == {("CONFLICT", HUB)}


def test_what_is_held_beyond_its_expiry_is_an_alarm_until_it_is_lifted(clock):
    correction = make_correction()
    clock.move_to(correction.expires_at, tick=False)
    look(clock)
    assert raised() == {("HELD", str(correction))}

    lift(correction)
    look(clock)
    look(clock)

    assert not raised()


def test_what_is_not_enforced_in_time_is_an_alarm(clock):
    correction = make_correction(state=State.ENFORCING)
    clock.move_to(correction.execute_by, tick=False)
    wrong = gateways.report(wrong=[str(correction)])["corrections"]

    look(clock, corrections=wrong)

    assert raised() == {("FAILED", str(correction))}


def test_what_is_not_lifted_in_time_is_an_alarm(clock):
    correction = make_correction(state=State.LIFTING)
    clock.move_to(fresh(correction).execute_by, tick=False)

    look(clock, lifted={})

    assert raised() == {("NOT_LIFTED", str(correction))}


def test_a_retired_gateway_alarms_nobody(clock):
    make_correction()
    after(clock, 6)
    look(clock, reports=False)

    gateway = Gateway.objects.get()
    actions.retire_gateway(gateway_id=gateway.pk, reason="scrapped", by=make_officer())
    alarms.settle(now=timezone.now())

    assert not raised()


def test_a_retired_gateway_that_reports_is_an_alarm_until_it_is_taken_up_again(clock):
    make_correction()
    after(clock, 6)
    gateway = Gateway.objects.get()
    actions.retire_gateway(gateway_id=gateway.pk, reason="scrapped", by=make_officer())
    look(clock)
    told = Alarm.objects.get(cleared_at=None)
    actions.take_up_gateway(gateway_id=gateway.pk, reason="repaired", by=make_officer())
    look(clock)

    assert (told.kind, told.target) == (AlarmKind.DRIFT, gateway)
    assert "retired and reports again" in told.detail
    told.refresh_from_db()
    assert told.cleared_because == "It was taken up again, or reports no longer."
    assert not raised()


def silent_gateway(clock):
    make_correction()
    after(clock, 6)
    look(clock, reports=False)
    return Alarm.objects.get()


@pytest.mark.parametrize(
    "role", [RoleCode.RESPONDER, RoleCode.COMMANDER, RoleCode.DUTY_OFFICER, RoleCode.EXECUTIVE]
)
def test_whoever_is_told_can_say_that_they_look_after_it(clock, role):
    alarm, person = silent_gateway(clock), make_user(role)

    actions.acknowledge_alarm(alarm_id=alarm.pk, note="Calling the site.", by=person)

    alarm.refresh_from_db()
    assert (alarm.acknowledged_by, alarm.note) == (person, "Calling the site.")
    assert alarm.is_open
    event = Event.objects.get(verb="alarm.acknowledged")
    assert (event.actor_id, event.data["reason"]) == (person.pk, "Calling the site.")


@pytest.mark.parametrize("role", [RoleCode.AUDITOR, RoleCode.COMMUNICATOR, RoleCode.ADMINISTRATOR])
def test_others_do_not(clock, role):
    alarm = silent_gateway(clock)

    with pytest.raises(NotPermittedError):
        actions.acknowledge_alarm(alarm_id=alarm.pk, by=make_user(role))


def test_the_first_to_acknowledge_stands(clock):
    alarm = silent_gateway(clock)
    actions.acknowledge_alarm(alarm_id=alarm.pk, by=make_commander())

    with pytest.raises(ConflictError) as refused:
        actions.acknowledge_alarm(alarm_id=alarm.pk, by=make_executive())

    assert refused.value.code == "already_acknowledged"


def test_what_has_healed_needs_nobody(clock):
    alarm = silent_gateway(clock)
    look(clock)

    with pytest.raises(ConflictError) as refused:
        actions.acknowledge_alarm(alarm_id=alarm.pk, by=make_commander())

    assert refused.value.code == "already_cleared"


def test_acknowledging_does_not_keep_it_from_healing(clock):
    alarm = silent_gateway(clock)
    actions.acknowledge_alarm(alarm_id=alarm.pk, by=make_commander())

    look(clock)

    alarm.refresh_from_db()
    assert not alarm.is_open
    assert verbs() == ["alarm.raised", "alarm.acknowledged", "alarm.cleared"]


@pytest.mark.django_db(transaction=True)
def test_many_lookers_at_once_raise_one_alarm_and_clear_it_once(clock):
    make_correction()
    after(clock, 6)
    answer(clock)

    together(*[lambda: alarms.settle(now=timezone.now())] * 6)
    assert (Alarm.objects.count(), verbs()) == (1, ["alarm.raised"])
    gateways.tell(gateways.report())
    together(*[lambda: alarms.settle(now=timezone.now())] * 6)

    assert (Alarm.objects.count(), verbs()) == (1, ["alarm.raised", "alarm.cleared"])
    assert not Hub.objects.exclude(error="").exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_acknowledge_at_once_one_stands(clock):
    alarm = silent_gateway(clock)
    people = [make_commander(), make_executive()]

    answers = together(
        *[lambda who=who: actions.acknowledge_alarm(alarm_id=alarm.pk, by=who) for who in people]
    )

    assert sum(isinstance(each, ConflictError) for each in answers) == 1
    assert verbs().count("alarm.acknowledged") == 1
