"""Many at once: real threads, real commits, real locks."""

from collections import Counter

import pytest

from incidents.models import Incident
from incidents.monitoring import actions
from incidents.monitoring.models import Signal, SignalGroup
from incidents.monitoring.states import State
from irapp.audit.models import Event
from irapp.common.errors import ConflictError
from tests.incidents.factories import make_responder
from tests.incidents.test_races import CALLERS, at_once, won
from tests.monitoring.factories import fresh, make_group, make_received

pytestmark = pytest.mark.django_db(transaction=True)


def test_eight_signals_about_one_thing_make_one_group_of_eight():
    responder = make_responder()

    outcomes = at_once(lambda number: make_received(by=responder, key=f"k{number}", fingerprint="same"))

    assert len(won(outcomes)) == CALLERS
    group = SignalGroup.objects.get()
    assert group.count == group.signals.count() == CALLERS
    assert Event.objects.filter(verb="signal.received").count() == CALLERS


def test_one_signal_sent_eight_times_at_once_is_one_signal():
    responder = make_responder()

    outcomes = at_once(lambda _: make_received(by=responder, key="k", fingerprint="f", title="Odd"))

    assert Counter(outcome.repeated for outcome in outcomes) == {False: 1, True: CALLERS - 1}
    assert len({outcome.signal.pk for outcome in outcomes}) == 1
    assert SignalGroup.objects.get().count == 1


def test_one_key_for_eight_different_signals_at_once_takes_one_and_refuses_the_rest():
    responder = make_responder()

    outcomes = at_once(lambda number: make_received(by=responder, key="k", fingerprint=f"f{number}"))

    assert len(won(outcomes)) == 1
    assert {outcome.code for outcome in outcomes if isinstance(outcome, ConflictError)} == {"key_reused"}
    assert Signal.objects.count() == SignalGroup.objects.count() == 1


def test_of_eight_who_start_an_incident_one_does():
    group, responder = make_group(), make_responder()

    outcomes = at_once(
        lambda number: actions.open_incident_from(group_id=group.pk, title=f"Odd {number}", by=responder)
    )

    assert len(won(outcomes)) == 1
    assert Incident.objects.count() == 1
    assert fresh(group).incident == won(outcomes)[0]


def test_of_eight_who_acknowledge_one_is_named():
    group, responder = make_group(), make_responder()

    outcomes = at_once(lambda _: actions.acknowledge(group_id=group.pk, by=responder))

    assert len(won(outcomes)) == 1
    assert Event.objects.filter(verb="signals.acknowledged").count() == 1


def test_a_signal_that_arrives_while_its_group_is_closed_is_seen_or_brings_it_back():
    group, responder = make_group(fingerprint="f"), make_responder()

    def act(number):
        if number == 0:
            return actions.close_group(group_id=group.pk, reason="Harmless.", count_seen=1, by=responder)
        return make_received(by=responder, key=f"k{number}", fingerprint="f")

    at_once(act)

    assert fresh(group).count == CALLERS
    assert fresh(group).state == State.NEW
