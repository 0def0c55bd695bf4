"""A gateway whose clock is wrong: told beside whatever else is wrong there, and steadily."""

from datetime import UTC, timedelta
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from corrections.models import Alarm, AlarmKind, Gateway
from corrections.publishing import alarms, reports
from corrections.publishing.faults import SETTLING
from corrections.states import State
from tests.corrections import gateways
from tests.corrections.factories import make_correction
from tests.corrections.truth.test_alarms import after, answer, look, raised

pytestmark = pytest.mark.django_db
WRONG = [{"code": "clock", "detail": "this clock is 7 s ahead of that of the hub"}]
DOWN = {"version": "x", "live": False, "rejected": 0, "error": ""}


@pytest.fixture(autouse=True)
def _hub(clock):
    """A hub that has just answered."""
    answer(clock)


def ahead(**distance):
    return (timezone.now() + timedelta(**distance)).astimezone(UTC).isoformat()


def told():
    return {alarm.detail for alarm in Alarm.objects.open()}


def clocks():
    return [each for each in Gateway.objects.get().report["problems"] if each["code"] == "clock"]


def test_a_wrong_clock_does_not_hide_that_the_gateway_is_down(clock):
    make_correction()

    look(clock, problems=WRONG, envoy=DOWN)

    assert told() == {
        "Its gateway process does not answer.",
        f"Its clock is wrong, so starts and ends are: {WRONG[0]['detail']}",
    }


def test_a_wrong_clock_does_not_hide_that_the_gateway_lacks_the_policy(clock):
    make_correction()
    old = gateways.report()["policy"]
    make_correction(state=State.ENFORCING)
    after(clock, SETTLING.total_seconds())

    look(clock, policy=old, problems=WRONG)

    assert "It acknowledges policy 1; wanted is 2." in told()
    assert len(told()) == 2


def test_a_wrong_clock_does_not_hide_what_its_gateway_no_longer_enforces(clock):
    correction = make_correction()
    wrong = gateways.report(wrong=[str(correction)])["corrections"]
    for _ in range(2):
        look(clock, corrections=wrong, problems=WRONG)
        after(clock, SETTLING.total_seconds())
    look(clock, corrections=wrong, problems=WRONG)

    assert raised() == {(AlarmKind.DRIFT, "gateway-1"), (AlarmKind.DRIFT, str(correction))}


def test_a_clock_that_is_right_again_is_told_as_such(clock):
    make_correction()
    look(clock, problems=WRONG)

    look(clock)

    assert Alarm.objects.get().cleared_because == "Its clock is right again, or it was retired."


def test_a_wrong_clock_is_neither_told_nor_called_right_while_its_gateway_is_silent(clock):
    make_correction()
    look(clock, problems=WRONG)
    before = Alarm.objects.get()
    after(clock, 6)

    look(clock, reports=False)

    assert raised() == {(AlarmKind.DRIFT, "gateway-1"), (AlarmKind.SILENCE, "gateway-1")}
    Alarm.objects.filter(pk=before.pk).delete()
    look(clock, reports=False)
    assert raised() == {(AlarmKind.SILENCE, "gateway-1")}


def test_what_is_said_of_a_clock_does_not_change_with_every_look(clock):
    make_correction()
    for seconds in (27.4, 27.6, 32.4, 32.6, 24, 36):
        after(clock, 20)
        look(clock, reported_at=ahead(seconds=seconds))

        assert told() == {"Its clock is wrong, so starts and ends are: it is about 30 s ahead of ours"}


@pytest.mark.parametrize(
    ("distance", "said"),
    [
        ({"seconds": 50}, 60),
        ({"minutes": 10}, 600),
        ({"minutes": 50}, 3600),
        ({"hours": 5, "seconds": 3}, 18000),
        ({"days": 365}, 31536000),
    ],
)
def test_what_is_said_of_a_clock_is_about_right_however_far_it_is(clock, distance, said):
    make_correction()
    look(clock)

    look(clock, reported_at=ahead(**distance))

    assert clocks()[0]["detail"] == f"it is about {said} s ahead of ours"


def test_the_last_word_of_a_gateway_that_is_gone_is_kept_and_does_not_make_it_heard(clock):
    make_correction()
    look(clock)
    seen, last = Gateway.objects.get().seen_at, ahead(minutes=7)
    look(clock, reported_at=last)
    after(clock, 400)

    look(clock, reported_at=last, live=False, envoy=DOWN)

    gateway = Gateway.objects.get()
    assert (gateway.seen_at, gateway.live) == (seen, False)
    assert (AlarmKind.SILENCE, "gateway-1") in raised()


def test_a_gateway_that_is_gone_when_it_is_first_heard_of_is_waited_for_and_silent(clock):
    make_correction()
    late = gateways.report("gateway-2") | {"live": False}

    gateways.tell(late)
    alarms.settle(now=timezone.now())

    assert Gateway.objects.expected().filter(name="gateway-2").exists()
    assert raised() == {(AlarmKind.SILENCE, "gateway-2")}


def test_the_clock_of_a_gateway_that_is_gone_is_not_judged_by_its_last_word(clock):
    make_correction()
    look(clock)

    look(clock, reported_at=ahead(minutes=7), live=False)

    assert not clocks()


def test_a_report_that_cannot_be_taken_in_says_nothing_of_one_that_came_meanwhile(clock, monkeypatch):
    make_correction()
    look(clock)
    note = reports.note_untaken

    def late(*args, **how):
        gateways.tell(gateways.report(now=timezone.now() + timedelta(seconds=1)))
        note(*args, **how)

    monkeypatch.setattr(reports, "note_untaken", late)
    gateways.tell(gateways.report() | {"reported_at": ahead(minutes=7)})

    assert not clocks()


@pytest.mark.django_db(transaction=True)
def test_a_report_that_cannot_be_taken_in_overwrites_none_that_comes_at_the_same_time(clock, monkeypatch):
    make_correction()
    look(clock)
    newer = gateways.report(now=timezone.now() + timedelta(seconds=1)) | {"agent_version": "newer"}
    save, others = Gateway.save, []

    def tell():
        gateways.tell(newer)
        connection.close()

    def slow(gateway, **how):
        others.append(Thread(target=tell))
        others[0].start()
        others[0].join(0.5)  # it comes through where nothing holds it back
        save(gateway, **how)

    monkeypatch.setattr(Gateway, "save", slow)
    gateways.tell(gateways.report() | {"reported_at": ahead(minutes=7)})
    others[0].join()

    assert Gateway.objects.get().report["agent_version"] == "newer"
