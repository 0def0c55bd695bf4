"""Incidents for tests, made by the real actions: no test starts from what the product cannot produce."""

from itertools import count

from incidents import actions
from incidents.models import Incident, IncidentRole, Note, State
from incidents.post_incident.actions import reviews
from incidents.preparation import actions as preparation
from incidents.preparation.contents import FallbackContent, ModelContent, PlanContent, Step, ThreatContent
from irapp.accounts.models import RoleCode, User
from tests.irapp.factories import make_user

_numbers = count(1)
ROUTE = {
    State.MONITORING: ["begin_monitoring"],
    State.EXECUTION: ["begin_monitoring", "begin_execution"],
    State.POST_INCIDENT: ["begin_monitoring", "begin_execution", "begin_post_incident"],
    State.CLOSED: ["begin_monitoring", "begin_execution", "begin_post_incident", "close"],
    State.DISMISSED: ["dismiss"],
}


def make_responder(**named):
    return make_user(RoleCode.RESPONDER, **named)


def make_commander(**named):
    return make_user(RoleCode.COMMANDER, **named)


def make_incident(*, by=None, commander=None, state=State.PREPARATION, **content):
    """Open an incident and lead it to ``state``; what preparation asks for is bound on the way."""
    content.setdefault("title", "Replies drift off tone in long sessions")
    incident = actions.open_incident(by=by or make_responder(), **content)
    commander = commander or (make_commander() if state != State.PREPARATION else None)
    if commander:
        part = IncidentRole.Part.COMMANDER
        actions.assign(incident_id=incident.pk, user_id=commander.pk, role=part, by=incident.opened_by)
    for move in ROUTE.get(state, []):
        make_ready(incident.pk, move, by=commander)
        actions.move(incident_id=incident.pk, move=move, by=commander, reason="Led there by a test.")
    return Incident.objects.get(pk=incident.pk)


def make_ready(incident_id, move, *, by):
    """Meet what a move asks for."""
    if move == "begin_monitoring":
        make_prepared(incident_id, by=by)
    if move == "begin_execution":
        make_assessment(incident_id, by=by)
        make_deciders()
    if move == "close":
        for task in Incident.objects.get(pk=incident_id).tasks.open():
            actions.finish_task(task_id=task.pk, by=by)
        make_signed_review(incident_id, by=by)


def make_prepared(incident_id, *, by):
    """Bind an incident to everything preparation asks for."""
    model = make_model(by=by)
    incident = Incident.objects.get(pk=incident_id)
    actions.edit(
        incident_id=incident_id,
        severity=incident.severity or "HIGH",
        model_name=model.name,
        by=by,
    )
    preparation.bind_threat(incident_id=incident_id, threat_id=make_threat(by=by).pk, by=by)
    preparation.bind_plan(incident_id=incident_id, plan_id=make_plan(by=by).pk, by=by)
    fallback = make_fallback(model=model, by=by)
    preparation.consider_fallback(incident_id=incident_id, fallback_id=fallback.pk, by=by)
    preparation.confirm_authority(incident_id=incident_id, authority="The duty officer", by=by)


def make_deciders():
    """Have enough people to decide on corrections, as execution asks for."""
    while User.objects.filter(grants__role=RoleCode.EXECUTIVE, is_active=True).count() < 2:
        make_user(RoleCode.EXECUTIVE)


def make_signed_review(incident_id, *, by):
    """Have the review written and signed, as closing asks for."""
    review = reviews.begin(incident_id=incident_id, by=by)
    reviews.edit(incident_id=incident_id, revision=review.revision, summary="It drifted.", by=by)
    submission = reviews.submit(incident_id=incident_id, by=by)
    reviews.sign(incident_id=incident_id, digest=submission.digest, by=make_user(RoleCode.AUDITOR))


def make_assessment(incident_id, *, by, body="Seen in 3 of 200 sampled sessions; medium confidence."):
    return actions.add_note(incident_id=incident_id, body=body, kind=Note.Kind.ASSESSMENT, by=by)


def make_model(*, by=None, **content):
    number = next(_numbers)
    content = {"name": f"aurora-{number}", "title": f"Aurora {number}"} | content
    return preparation.add_model(content=ModelContent(**content), by=by or make_commander())


def make_threat(*, by=None, **content):
    content = {"title": f"Threat {next(_numbers)}"} | content
    return preparation.add_threat(content=ThreatContent(**content), by=by or make_commander())


def make_plan(*, by=None, **content):
    steps = (Step(title="Cap the turns", minutes=30), Step(title="Tell the customers"))
    content = {"title": f"Plan {next(_numbers)}", "steps": steps} | content
    return preparation.add_plan(content=PlanContent(**content), by=by or make_commander())


def make_fallback(*, model=None, by=None, **content):
    by = by or make_commander()
    content = {"title": f"Fallback {next(_numbers)}", "manual_process": "Answer by hand."} | content
    model = model or make_model(by=by)
    return preparation.add_fallback(content=FallbackContent(model_id=model.pk, **content), by=by)
