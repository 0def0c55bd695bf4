"""Things to do for an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from incidents import policies
from incidents.actions.shared import locked, settle_skipped, words
from incidents.models import Task
from irapp.accounts.models import User
from irapp.audit.record import hint, record
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from datetime import datetime


@transaction.atomic
def add_task(
    *,
    incident_id: int,
    title: str,
    by: User,
    detail: str = "",
    owner_id: int | None = None,
    due_at: datetime | None = None,
    origin: str = "",
) -> Task:
    """Add something to do; the incident cannot close before it is finished."""
    incident = locked(incident_id)
    policies.check_can_write(incident, by)
    task = Task.objects.create(
        incident=incident,
        title=words(title, "title", most=200),
        detail=words(detail, "detail", required=False),
        owner=_owner(owner_id),
        due_at=due_at,
        created_by=by,
        origin=origin,
    )
    hint("inbox")
    record("task.added", task, by=by, title=task.title, owner=str(task.owner or ""), origin=origin)
    return task


@transaction.atomic
def take_task(*, task_id: int, owner_id: int, by: User) -> Task:
    """Make somebody, or oneself, the owner of an open task."""
    task = _locked(task_id)
    policies.check_can_finish_task(task, by)
    owner = _owner(owner_id)
    if task.owner != owner:
        task.owner = owner
        task.save()
        hint("inbox")
        record("task.taken", task, by=by, title=task.title, owner=str(owner))
    return task


@transaction.atomic
def finish_task(*, task_id: int, by: User, outcome: str = Task.Outcome.DONE, note: str = "") -> Task:
    """End a task as done, or as not needed with the reason in ``note``."""
    task = _locked(task_id)
    policies.check_can_finish_task(task, by)
    if outcome not in Task.Outcome.values:
        raise InvalidError(
            f"“{outcome}” is not an outcome of a task.", code="unknown_outcome", field="outcome"
        )
    task.outcome_note = words(note, "note", most=2000, required=outcome == Task.Outcome.NOT_NEEDED)
    task.outcome, task.finished_by, task.finished_at = outcome, by, timezone.now()
    task.save()
    hint("inbox")
    record("task.finished", task, by=by, title=task.title, outcome=outcome, reason=task.outcome_note)
    settle_skipped(task.incident, by=by)
    return task


@transaction.atomic
def unfinish_task(*, task_id: int, by: User) -> Task:
    """Take a task up again."""
    task = _locked(task_id)
    policies.check_can_write(task.incident, by)
    if task.is_open:
        raise ConflictError("This task is not finished.", code="task_open")
    task.outcome, task.outcome_note, task.finished_by, task.finished_at = "", "", None, None
    task.save()
    hint("inbox")
    record("task.taken_up_again", task, by=by, title=task.title)
    return task


def _locked(task_id: int) -> Task:
    """Lock the task's incident first, then read the task: the same order as every other action."""
    incident_id = Task.objects.filter(pk=task_id).values_list("incident_id", flat=True).first()
    if incident_id is None:
        raise InvalidError("There is no such task.", code="unknown_task", field="task")
    incident = locked(incident_id)
    task = Task.objects.select_related("owner", "finished_by").get(pk=task_id)
    task.incident = incident
    return task


def _owner(owner_id: int | None) -> User | None:
    if owner_id is None:
        return None
    owner = User.objects.filter(pk=owner_id, is_active=True).first()
    if owner is None:
        raise InvalidError("There is no such person.", code="unknown_person", field="owner")
    return owner
