"""Anything that people can do, in any order, on real PostgreSQL: what must always hold."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, Phase, settings
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
    make_ready,
    make_responder,
    make_signed_review,
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

    @rule(data=st.data(), reason=st.sampled_from(["Because", ""]), override=st.booleans())
    def make_a_move_that_exists_here(self, data, reason, override):
        name = data.draw(st.sampled_from(sorted(self.incident.moves)))
        self.move(name, reason, override)

    @rule(name=st.sampled_from(MOVES), override=st.booleans())
    def make_any_move(self, name, override):
        self.move(name, "Because", override)

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
            assert allowed is None or missing or before.is_emergency
        else:
            self.moved += 1
            assert after.state == allowed.target
            assert reason or not (override or allowed.terms.reason)

    @rule(name=st.sampled_from([*MOVES, "fly_away"]))
    def a_responder_moves_nothing(self, name):
        before = self.incident.state
        with pytest.raises((NotPermittedError, ConflictError)):
            actions.move(incident_id=self.key, move=name, reason="I want it", by=self.responder)
        assert self.incident.state == before

    @precondition(lambda self: self.incident.state in FORWARD and self.incident.state != State.POST_INCIDENT)
    @rule()
    def meet_everything_and_go_on(self):
        name = FORWARD[self.incident.state]
        make_ready(self.key, name, by=self.commander)
        actions.move(incident_id=self.key, move=name, by=self.commander)
        self.moved += 1

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

    @precondition(lambda self: self.incident.state == State.POST_INCIDENT)
    @rule()
    def sign_the_review(self):
        with suppress(ConflictError):  # it may be signed already
            make_signed_review(self.key, by=self.commander)

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


def test_an_incident_keeps_its_promises_whatever_people_try():
    run_state_machine_as_test(
        IncidentMachine,
        settings=settings(
            max_examples=10,
            stateful_step_count=20,
            deadline=None,
            phases=[Phase.generate],  # a failure of 20 steps reads well enough; shrinking it takes minutes
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
