"""From the fault to the alarm over a real hub and the real tasks, as beat calls them. Waits are generous."""

import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.utils import timezone
from time_machine import escape_hatch

from corrections import tasks
from corrections.models import Alarm, AlarmKind, RefusalCount, TrafficRecord
from corrections.states import State
from tests.corrections import hub
from tests.corrections.factories import fresh, make_correction
from tests.corrections.truth.said import refused, said
from tests.enforcement.hub_process import AGENT
from tests.patience import wait_for

pytestmark = pytest.mark.django_db
PATIENCE = 60


@pytest.fixture
def service(tmp_path, settings):
    with hub.running(tmp_path / "hub", settings) as process:
        yield process


def in_force(service, **terms):
    """Lead a correction into force by the tasks alone."""
    correction = make_correction(state=State.ENFORCING, **terms)
    tasks.reconcile()
    hub.post_report(service)
    tasks.reconcile()
    assert fresh(correction).state == State.ACTIVE
    return correction


def beat_until(kind, *, is_open):
    """Call the tasks as beat does until an alarm is there, or gone."""

    def beaten():
        tasks.reconcile()
        tasks.pull_traffic()
        return Alarm.objects.open().filter(kind=kind).exists() is is_open or time.sleep(0.5)

    wait_for(beaten, PATIENCE, told=f"{kind} of {list(Alarm.objects.values_list('kind', 'detail'))}")


def hand_in(service, *records):
    told = [msgspec.to_builtins(record) for record in records]
    answer = service.post("/v1/traffic", {"gateway": "gateway-1", "records": told})
    assert answer.status == 204, answer.raw


def test_a_gateway_that_stops_reporting_is_an_alarm_until_it_reports_again(service):
    in_force(service)

    beat_until(AlarmKind.SILENCE, is_open=True)
    hub.post_report(service)
    beat_until(AlarmKind.SILENCE, is_open=False)

    assert Alarm.objects.get(kind=AlarmKind.SILENCE).cleared_because


def test_a_hub_that_is_gone_is_an_alarm_until_it_is_back(service):
    in_force(service)
    service.end()

    beat_until(AlarmKind.HUB, is_open=True)
    service.start()
    beat_until(AlarmKind.HUB, is_open=False)

    assert not Alarm.objects.open().filter(kind=AlarmKind.HUB).exists()


def test_what_is_let_through_is_an_alarm_with_the_next_pull(service):
    correction = in_force(service, users={"users": ["alice"]})
    time.sleep(2.1)  # further from the change of policy than clocks may differ

    hand_in(service, said(policy=1), said(policy=1, user="bob"))
    tasks.pull_traffic()

    alarm = Alarm.objects.open().get(kind=AlarmKind.ALLOWED)
    assert (alarm.target, [each["user"] for each in alarm.examples]) == (correction, ["alice"])


def test_what_a_gateway_hands_in_twice_is_counted_once(service):
    correction = in_force(service)
    records = [refused(correction, at=timezone.now().astimezone(UTC)) for _ in range(4)]

    for _ in range(2):
        hand_in(service, *records)
        tasks.pull_traffic()

    assert RefusalCount.objects.get().refused == 4
    assert TrafficRecord.objects.count() == 4


@pytest.mark.parametrize("minutes", [7, -7])
def test_an_application_whose_clock_is_wrong_delivers_all_the_same_and_says_so(
    service, time_machine, minutes
):
    in_force(service)
    time_machine.move_to(datetime.now(UTC) + timedelta(minutes=minutes))

    wanted = make_correction(state=State.ENFORCING, users={"users": ["bob"]})
    tasks.reconcile()
    assert wanted.policy_id in service.get("/v1/policy", token=AGENT).raw.decode()
    wait_for(lambda: differing(service), PATIENCE, told="the alarm")

    time_machine.move_to(right_time())
    hub.post_report(service)
    beat_until(AlarmKind.DRIFT, is_open=False)
    assert fresh(wanted).state == State.ACTIVE


def differing(service):
    """Let the gateway, whose clock is right, report; tell whether the difference has become an alarm."""
    hub.post_report(service, reported_at=right_time().isoformat())
    tasks.reconcile()
    told = Alarm.objects.open().filter(kind=AlarmKind.DRIFT).values_list("detail", flat=True)
    return any("about 300 s" in detail and detail.endswith("ours") for detail in told)


def right_time():
    return escape_hatch.datetime.datetime.now(UTC)
