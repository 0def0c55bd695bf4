"""Anything that people can do, in any order, on real PostgreSQL: what must always hold."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from incidents import actions, gates
from incidents.models import Incident, State
from incidents.states import ENDED, FORWARD
from irapp.audit.models import Event
from irapp.common.errors import ConflictError, InvalidError, NotPermittedError
from tests.incidents.factories import (
    make_assessment,
    make_commander,
    make_incident,
    make_prepared,
    make_responder,
)

pytestmark = pytest.mark.django_db
MOVES = sorted({move.name for move in Incident._meta.get_field("state").get_all_transitions(Incident)})


class IncidentMachine(RuleBasedStateMachine):
    """One incident; a commander and a responder who try everything."""

    def __init__(self):
        super().__init__()
        self.commander, self.responder = make_commander(), make_responder()
        self.key = make_incident(by=self.responder, commander=self.commander).pk
        self.moved = 0

    @property
    def incident(self):
        return Incident.objects.get(pk=self.key)

    @rule(name=st.sampled_from(MOVES), reason=st.sampled_from(["", "Because"]), override=st.booleans())
    def move(self, name, reason, override):
        before, missing = self.incident, gates.unmet(self.incident, name)
        allowed = before.moves.get(name)
        try:
            after = actions.move(
                incident_id=self.key, move=name, reason=reason, override=override, by=self.commander
            )
        except InvalidError:
            assert not reason
        except ConflictError:
            assert allowed is None or missing or before.is_emergency or self.owes_at_close(name)
        else:
            self.moved += 1
            assert after.state == allowed.target
            assert reason or not (override or allowed.terms.reason)

    def owes_at_close(self, name):
        return name == "close"

    @rule(name=st.sampled_from([*MOVES, "fly_away"]))
    def a_responder_moves_nothing(self, name):
        before = self.incident.state
        with pytest.raises((NotPermittedError, ConflictError)):
            actions.move(incident_id=self.key, move=name, reason="I want it", by=self.responder)
        assert self.incident.state == before

    @precondition(lambda self: self.incident.is_open)
    @rule()
    def prepare(self):
        make_prepared(self.key, by=self.commander)

    @precondition(lambda self: self.incident.is_open)
    @rule()
    def assess(self):
        make_assessment(self.key, by=self.responder)

    @precondition(lambda self: self.incident.is_open)
    @rule()
    def finish_tasks(self):
        for task in self.incident.tasks.open():
            actions.finish_task(task_id=task.pk, by=self.responder)

    @invariant()
    def the_end_has_a_date_and_only_the_end(self):
        incident = self.incident
        assert (incident.closed_at is not None) == (incident.state in ENDED)

    @invariant()
    def every_move_left_exactly_one_event(self):
        verbs = {
            move.custom["terms"].verb
            for move in Incident._meta.get_field("state").get_all_transitions(Incident)
        }
        assert Event.objects.filter(incident_id=self.key, verb__in=verbs).count() == self.moved

    @invariant()
    def what_is_closed_owes_nothing(self):
        incident = self.incident
        if incident.state == State.CLOSED:
            assert not incident.tasks.open().exists()
            assert not incident.skipped.filter(made_up_at=None).exists()

    @invariant()
    def every_stage_passed_was_met_or_is_listed(self):
        incident = self.incident
        if incident.state not in FORWARD or incident.state == State.PREPARATION:
            return
        listed = set(incident.skipped.filter(made_up_at=None).values_list("move", "code"))
        for condition in gates.unmet(incident, "begin_monitoring"):
            assert ("begin_monitoring", condition.code) in listed

    @invariant()
    def an_emergency_is_only_on_in_execution(self):
        incident = self.incident
        assert not incident.is_emergency or incident.state == State.EXECUTION


@pytest.mark.timeout(120)
def test_an_incident_keeps_its_promises_whatever_people_try():
    run_state_machine_as_test(
        IncidentMachine,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
