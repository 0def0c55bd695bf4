"""Moves, their gates, overrides and emergencies."""

import pytest
from django.db import IntegrityError, connection, transaction

from incidents import actions, gates
from incidents.gates import Condition
from incidents.models import Incident, SkippedCondition, State
from irapp.audit.models import Event
from irapp.common.errors import ConflictError, InvalidError
from tests.incidents.factories import (
    make_assessment,
    make_commander,
    make_deciders,
    make_incident,
    make_prepared,
    make_ready,
    make_responder,
)

pytestmark = pytest.mark.django_db
PREPARED = {"severity", "commander", "model", "threat", "plan", "fallback", "authority"}


def verbs(incident):
    return list(Event.objects.filter(incident_id=incident.pk).order_by("id").values_list("verb", flat=True))


def test_an_incident_is_led_from_preparation_to_closed():
    incident = make_incident(state=State.CLOSED)

    assert incident.closed_at is not None
    stages = [verb for verb in verbs(incident) if verb.startswith("incident.") and verb != "incident.edited"]
    assert stages == [
        "incident.opened",
        "incident.monitoring_begun",
        "incident.execution_begun",
        "incident.post_incident_begun",
        "incident.closed",
    ]


def test_a_manual_report_starts_with_the_list_of_what_is_missing():
    incident = make_incident()

    assert {condition.code for condition in gates.unmet(incident, "begin_monitoring")} == PREPARED


def test_a_move_with_something_missing_is_refused_and_says_what():
    commander = make_commander()
    incident = make_incident(commander=commander, severity="HIGH")

    with pytest.raises(ConflictError) as refused:
        actions.move(incident_id=incident.pk, move="begin_monitoring", by=commander)

    assert refused.value.code == "conditions_unmet"
    missing = {one["code"] for one in refused.value.details["missing"]}
    assert missing == PREPARED - {"severity", "commander"}
    assert Incident.objects.get(pk=incident.pk).state == State.PREPARATION


def test_a_move_that_does_not_start_here_is_a_conflict():
    commander = make_commander()
    incident = make_incident(commander=commander)

    with pytest.raises(ConflictError, match="stands in preparation: “close” is not possible"):
        actions.move(incident_id=incident.pk, move="close", by=commander)
    with pytest.raises(ConflictError):
        actions.move(incident_id=incident.pk, move="fly_away", by=commander)


def test_an_unknown_incident_is_invalid():
    with pytest.raises(InvalidError, match="no incident with the id 0"):
        actions.move(incident_id=0, move="close", by=make_commander())


def test_an_override_asks_for_a_reason_and_lists_what_was_skipped():
    commander = make_commander()
    incident = make_incident(commander=commander)

    with pytest.raises(InvalidError) as refused:
        actions.move(incident_id=incident.pk, move="begin_monitoring", override=True, by=commander)
    assert refused.value.field == "reason"

    actions.move(
        incident_id=incident.pk, move="begin_monitoring", override=True, reason="It spreads", by=commander
    )

    skipped = SkippedCondition.objects.filter(incident=incident)
    assert {one.code for one in skipped} == PREPARED - {"commander"}
    assert {(one.move, one.reason, one.by) for one in skipped} == {
        ("begin_monitoring", "It spreads", commander)
    }
    event = Event.objects.filter(incident_id=incident.pk, verb="incident.monitoring_begun").get()
    assert event.data["overridden"] is True
    assert set(event.data["skipped"]) == PREPARED - {"commander"}


def test_what_cannot_be_waived_stops_even_an_override(monkeypatch):
    monkeypatch.setattr(gates, "_gates", gates._gates | {"begin_monitoring": [hard]})
    commander = make_commander()
    incident = make_incident(commander=commander)

    with pytest.raises(ConflictError, match="Evidence hold"):
        actions.move(
            incident_id=incident.pk, move="begin_monitoring", override=True, reason="Quick", by=commander
        )


def hard(incident):
    yield Condition("hold", "Evidence hold in place", met=False, waivable=False)


def test_closing_cannot_be_overridden():
    commander = make_commander()
    incident = make_incident(commander=commander, state=State.POST_INCIDENT)

    with pytest.raises(ConflictError, match="Tasks finished"):
        actions.move(incident_id=incident.pk, move="close", override=True, reason="Done", by=commander)


def test_an_emergency_goes_to_execution_at_once_and_lists_every_stage_passed_over():
    commander = make_commander()
    incident = make_incident()
    over = {
        (move, one.code)
        for move in ("begin_monitoring", "begin_execution")
        for one in gates.unmet(incident, move)
    }

    actions.declare_emergency(incident_id=incident.pk, reason="Weights are leaving", by=commander)

    incident = Incident.objects.get(pk=incident.pk)
    assert incident.state == State.EXECUTION
    assert incident.is_emergency
    assert (incident.emergency_by, incident.emergency_reason) == (commander, "Weights are leaving")
    assert {("begin_monitoring", code) for code in PREPARED} | {("begin_execution", "assessment")} <= over
    assert set(incident.skipped.values_list("move", "code")) == over


def test_an_emergency_is_declared_once_and_asks_for_a_reason():
    commander, incident = make_commander(), make_incident()

    with pytest.raises(InvalidError, match="cannot be empty"):
        actions.declare_emergency(incident_id=incident.pk, reason="  ", by=commander)
    actions.declare_emergency(incident_id=incident.pk, reason="Now", by=commander)

    with pytest.raises(ConflictError, match="declared already"):
        actions.declare_emergency(incident_id=incident.pk, reason="Again", by=commander)


def test_an_emergency_ends_when_execution_is_left_and_can_come_again():
    commander = make_commander()
    incident = make_incident(commander=commander, state=State.EXECUTION)
    actions.declare_emergency(incident_id=incident.pk, reason="Now", by=commander)

    actions.move(incident_id=incident.pk, move="stand_down", reason="Contained", by=commander)
    assert not Incident.objects.get(pk=incident.pk).is_emergency

    actions.declare_emergency(incident_id=incident.pk, reason="It is back", by=commander)
    assert Incident.objects.get(pk=incident.pk).emergency_reason == "It is back"


def test_skipped_conditions_must_be_made_up_before_closing_and_are_noted_when_met():
    commander = make_commander()
    incident = make_incident(commander=commander, severity="CRITICAL")
    actions.declare_emergency(incident_id=incident.pk, reason="Now", by=commander)
    actions.move(incident_id=incident.pk, move="begin_post_incident", by=commander)

    with pytest.raises(ConflictError, match="Skipped conditions made up"):
        actions.move(incident_id=incident.pk, move="close", by=commander)

    make_assessment(incident.pk, by=commander)
    assert set(incident.skipped.exclude(made_up_at=None).values_list("code", flat=True)) == {"assessment"}
    make_deciders()
    make_prepared(incident.pk, by=commander)
    assert not incident.skipped.filter(made_up_at=None).exists()
    assert verbs(incident).count("condition.made_up") == incident.skipped.count()

    make_ready(incident.pk, "close", by=commander)
    closed = actions.move(incident_id=incident.pk, move="close", by=commander)
    assert closed.state == State.CLOSED


def test_reopening_what_was_dismissed_early_lists_what_it_never_met():
    commander = make_commander()
    incident = make_incident(commander=commander)
    actions.dismiss(incident_id=incident.pk, reason="A test run", by=commander)

    actions.move(incident_id=incident.pk, move="reopen", reason="It was real", by=commander)

    incident = Incident.objects.get(pk=incident.pk)
    assert (incident.state, incident.closed_at) == (State.MONITORING, None)
    assert set(incident.skipped.values_list("code", flat=True)) == PREPARED - {"commander"}


def test_reopening_what_was_closed_in_order_owes_nothing():
    commander = make_commander()
    incident = make_incident(commander=commander, state=State.CLOSED)

    actions.move(incident_id=incident.pk, move="reopen", reason="New facts", by=commander)

    assert not incident.skipped.exists()


@pytest.mark.parametrize(
    ("state", "move", "target"),
    [
        (State.MONITORING, "return_to_preparation", State.PREPARATION),
        (State.EXECUTION, "stand_down", State.MONITORING),
        (State.POST_INCIDENT, "recur", State.EXECUTION),
    ],
)
def test_a_move_back_loses_nothing_and_asks_why(state, move, target):
    commander = make_commander()
    incident = make_incident(commander=commander, state=state)
    before = {
        "notes": incident.notes.count(),
        "tasks": incident.tasks.count(),
        "threat": incident.binding.threat_id,
    }

    with pytest.raises(InvalidError, match="cannot be empty"):
        actions.move(incident_id=incident.pk, move=move, by=commander)
    actions.move(incident_id=incident.pk, move=move, reason="It changed", by=commander)

    incident = Incident.objects.get(pk=incident.pk)
    assert incident.state == target
    assert before == {
        "notes": incident.notes.count(),
        "tasks": incident.tasks.count(),
        "threat": incident.binding.threat_id,
    }


def test_a_move_and_its_event_commit_together_or_not_at_all(monkeypatch):
    commander = make_commander()
    incident = make_incident(commander=commander)

    def fail(*_args, **_data):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("incidents.actions.moving.record", fail)
    with pytest.raises(RuntimeError, match="disk"):
        actions.dismiss(incident_id=incident.pk, reason="No", by=commander)

    assert Incident.objects.get(pk=incident.pk).state == State.PREPARATION


def test_a_stale_revision_stops_a_move():
    commander = make_commander()
    incident = make_incident(commander=commander)
    actions.edit(incident_id=incident.pk, title="Other words", by=make_responder())

    with pytest.raises(ConflictError) as refused:
        actions.dismiss(incident_id=incident.pk, reason="No", revision=incident.revision, by=commander)

    assert refused.value.code == "stale_revision"


@pytest.mark.parametrize(
    "change",
    [
        "state = 'FLYING'",
        "state = 'CLOSED'",
        "closed_at = now()",
        "emergency_at = now()",
        "severity = 'HORRIBLE'",
        "title = ''",
    ],
)
def test_the_database_itself_refuses_what_makes_no_sense(change):
    incident = make_incident()

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE incidents_incident SET {change} WHERE id = %s", [incident.pk])


def test_a_state_is_never_assigned():
    incident = make_incident()

    with pytest.raises(AttributeError):
        incident.state = State.CLOSED
