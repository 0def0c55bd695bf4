"""Binding an incident to the standing preparation."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from incidents.actions import add_task, finish_task, locked, settle_skipped, words
from incidents.models import Task
from incidents.preparation import policies
from incidents.preparation.models import Binding, Fallback, Plan, PlanVersion, Threat
from irapp.audit.record import record
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from incidents.models import Incident
    from irapp.accounts.models import User


@transaction.atomic
def bind_threat(*, incident_id: int, threat_id: int, by: User) -> Binding:
    """Say which threat the incident belongs to."""
    incident = _locked(incident_id, by)
    threat = Threat.objects.current().filter(pk=threat_id).first()
    if threat is None:
        raise InvalidError("There is no such threat in use.", code="unknown_threat", field="threat")
    binding = _of(incident)
    binding.threat_id = threat.pk
    return _saved(binding, "binding.threat_bound", by=by, threat=str(threat), threat_id=threat.pk)


@transaction.atomic
def bind_plan(*, incident_id: int, plan_id: int, by: User) -> Binding:
    """Freeze the newest version of a plan onto the incident; its steps become tasks.

    Open tasks of a plan bound before end as not needed: the new plan takes its place.
    """
    incident = _locked(incident_id, by)
    plan = Plan.objects.current().filter(pk=plan_id).first()
    version = PlanVersion.objects.filter(plan=plan).select_related("plan").first() if plan else None
    if version is None:
        raise InvalidError("There is no such plan in use.", code="unknown_plan", field="plan")
    binding = _of(incident)
    if binding.plan_version_id == version.pk:
        return binding
    _drop_tasks(binding, version, by=by)
    binding.plan_version = version
    binding.plan_copy = {"title": str(version.plan), "version": version.number, "steps": version.steps}
    binding = _saved(binding, "binding.plan_bound", by=by, plan=str(version.plan), version=version.number)
    _add_tasks(incident, version, now=timezone.now(), by=by)
    return binding


@transaction.atomic
def consider_fallback(
    *, incident_id: int, by: User, fallback_id: int | None = None, note: str = ""
) -> Binding:
    """Name the fallback for this incident, or say why there is none."""
    incident = _locked(incident_id, by)
    fallback = Fallback.objects.current().filter(pk=fallback_id).first() if fallback_id else None
    if fallback_id and fallback is None:
        raise InvalidError("There is no such fallback in use.", code="unknown_fallback", field="fallback")
    binding = _of(incident)
    binding.fallback_id = fallback.pk if fallback else None
    binding.fallback_note = words(note, "note", most=2000, required=fallback is None)
    binding.fallback_at, binding.fallback_by = timezone.now(), by
    chosen = str(fallback or "")
    return _saved(
        binding, "binding.fallback_considered", by=by, fallback=chosen, reason=binding.fallback_note
    )


@transaction.atomic
def confirm_authority(*, incident_id: int, authority: str, by: User) -> Binding:
    """Confirm who decides on restrictions in this incident, and that they can be reached."""
    incident = _locked(incident_id, by)
    binding = _of(incident)
    binding.authority = words(authority, "authority", most=2000)
    binding.authority_at, binding.authority_by = timezone.now(), by
    return _saved(binding, "binding.authority_confirmed", by=by, authority=binding.authority)


def _locked(incident_id: int, by: User) -> Incident:
    incident = locked(incident_id)
    policies.check_can_bind(incident, by)
    return incident


def _of(incident: Incident) -> Binding:
    """Give the incident's binding, made where there is none; the incident's lock is held."""
    return Binding.objects.get_or_create(incident=incident)[0]


def _saved(binding: Binding, verb: str, *, by: User, **data: object) -> Binding:
    binding.save()
    record(verb, binding, by=by, **data)
    settle_skipped(binding.incident, by=by)
    return binding


def _origin(title: str, number: int) -> str:
    return f"Plan “{title[:90]}” version {number}"


def _add_tasks(incident: Incident, version: PlanVersion, *, now: datetime, by: User) -> None:
    origin = _origin(version.plan.title, version.number)
    for step in version.steps:
        due = now + timedelta(minutes=step["minutes"]) if step.get("minutes") else None
        title, detail = step["title"], step.get("detail", "")
        add_task(incident_id=incident.pk, title=title, detail=detail, due_at=due, origin=origin, by=by)


def _drop_tasks(binding: Binding, version: PlanVersion, *, by: User) -> None:
    if not binding.plan_copy:
        return
    origin = _origin(binding.plan_copy["title"], binding.plan_copy["version"])
    for task in binding.incident.tasks.open().filter(origin=origin):
        note = f"Replaced by the steps of {version}."
        finish_task(task_id=task.pk, by=by, outcome=Task.Outcome.NOT_NEEDED, note=note)
