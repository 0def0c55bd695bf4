"""Expiry: a safety correction holds with an alarm, unless the decision says lift."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from corrections import actions
from corrections.actions import clocks
from corrections.models import Correction, PolicyVersion
from corrections.states import State
from irapp.audit.models import Event
from tests.corrections import gateways
from tests.corrections.factories import approve, fresh, lift, make_commander, make_correction

pytestmark = pytest.mark.django_db


def expire(correction, clock):
    clock.move_to(correction.expires_at + timedelta(seconds=1), tick=False)
    actions.tick(now=timezone.now())
    return fresh(correction)


def test_at_its_expiry_it_is_held_with_one_alarm(clock):
    correction = expire(make_correction(at_expiry="hold"), clock)
    expire(correction, clock)

    assert correction.state == State.ACTIVE
    assert correction in Correction.objects.wanted(now=timezone.now())
    assert Event.objects.filter(verb="correction.held", target_id=correction.pk).count() == 1


def test_at_its_expiry_it_is_lifted_where_the_decision_says_so(clock):
    correction = expire(make_correction(at_expiry="lift"), clock)
    assert correction.state == State.LIFTING

    gateways.show()

    assert fresh(correction).state == State.LIFTED


def test_one_that_cannot_be_lifted_does_not_hold_up_the_others(clock, monkeypatch):
    stuck, other = make_correction(at_expiry="lift"), make_correction(at_expiry="lift")
    real = clocks.expire

    def deadlocked(correction, *, now):
        if correction.pk == max(stuck.pk, other.pk):  # the newest comes first
            raise OperationalError("deadlock detected")
        real(correction, now=now)

    monkeypatch.setattr(clocks, "expire", deadlocked)
    clock.move_to(max(stuck.expires_at, other.expires_at) + timedelta(seconds=1), tick=False)
    actions.tick(now=timezone.now())

    assert sorted(fresh(each).state == State.LIFTING for each in (stuck, other)) == [False, True]


def test_its_expiry_overtakes_a_question_about_it(clock):
    correction = make_correction(at_expiry="lift")
    asked = actions.propose_lift(correction_id=correction.pk, reason="Fixed.", by=make_commander())

    expire(correction, clock)

    asked.refresh_from_db()
    assert not asked.is_open


def test_what_stays_for_good_does_not_expire(clock):
    correction = make_correction(at_expiry="lift")
    asked = actions.propose_permanent(correction_id=correction.pk, reason="Stays.", by=make_commander())
    approve(asked)
    approve(asked)

    assert expire(correction, clock).state == State.PERMANENT


def test_what_failed_and_should_lift_at_expiry_is_lifted(clock):
    correction = make_correction(state=State.ENFORCING, at_expiry="lift")
    Correction.objects.filter(pk=correction.pk).update(state=State.FAILED)

    assert expire(correction, clock).state == State.LIFTING


def test_a_tick_with_nothing_due_publishes_nothing_new():
    make_correction()
    actions.tick(now=timezone.now())

    actions.tick(now=timezone.now())

    assert PolicyVersion.objects.count() == 1


def test_the_first_tick_publishes_an_empty_policy_so_that_gateways_open():
    actions.tick(now=timezone.now())

    assert bytes(PolicyVersion.objects.get().content) == b'{"corrections":[]}'


def test_same_content_again_is_a_higher_version():
    correction = make_correction()
    lift(correction)
    make_correction()

    versions = list(PolicyVersion.objects.values_list("version", flat=True))

    assert versions == [3, 2, 1]
