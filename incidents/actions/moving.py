"""Moving an incident from stage to stage: lock, policy, gates, transition, save, record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from incidents import gates, policies
from incidents.actions.shared import changed, locked, settle_skipped, words
from incidents.models import SkippedCondition
from incidents.states import ENDED, passed_over
from irapp.audit.record import record
from irapp.common.errors import ConflictError

if TYPE_CHECKING:
    from incidents.gates import Condition
    from incidents.models import Incident
    from incidents.moves import Move
    from irapp.accounts.models import User

JUMPS = ("declare_emergency", "reopen")
"""Moves that may pass over stages; what those ask for is listed, to be made up before closing."""


@transaction.atomic
def move(
    *,
    incident_id: int,
    move: str,
    by: User,
    reason: str = "",
    override: bool = False,
    revision: int | None = None,
) -> Incident:
    """Make a move, or say what it lacks.

    :param override: go on although waivable conditions are unmet; asks for a reason, lists them as skipped.
    :raises ConflictError: ``conditions_unmet`` with the missing ones in ``details``.
    """
    incident = locked(incident_id, revision=revision)
    step = policies.check_can_move(incident, move, by)
    reason = words(reason, "reason", most=2000, required=step.terms.reason or override)
    settle_skipped(incident, by=by)
    skipped = _check_gates(incident, step, override=override)
    _list_skipped(incident, skipped, reason=reason, by=by)
    _transit(incident, step, reason=reason, by=by)
    data = {"from": step.source.value, "to": step.target.value, "reason": reason}
    codes = [condition.code for _, condition in skipped]
    record(step.terms.verb, incident, by=by, **data, skipped=codes, overridden=bool(override and codes))
    return incident


def declare_emergency(*, incident_id: int, reason: str, by: User, revision: int | None = None) -> Incident:
    """Go to execution at once, from any open stage."""
    return move(incident_id=incident_id, move="declare_emergency", by=by, reason=reason, revision=revision)


def dismiss(*, incident_id: int, reason: str, by: User, revision: int | None = None) -> Incident:
    """Put away what turned out not to be an incident."""
    return move(incident_id=incident_id, move="dismiss", by=by, reason=reason, revision=revision)


def _check_gates(incident: Incident, step: Move, *, override: bool) -> list[tuple[str, Condition]]:
    """Give what the move leaves unmet, or refuse it."""
    if step.name in JUMPS:
        over = passed_over(step.source, step.target)
        return [(name, condition) for name in over for condition in gates.unmet(incident, name)]
    missing = gates.unmet(incident, step.name)
    allowed = override and step.terms.override
    refused = [condition for condition in missing if not (allowed and condition.waivable)]
    if refused:
        raise _unmet(incident, step, refused)
    return [(step.name, condition) for condition in missing]


def _unmet(incident: Incident, step: Move, missing: list[Condition]) -> ConflictError:
    listed = "; ".join(condition.label for condition in missing)
    facts = [
        {"code": condition.code, "label": condition.label, "detail": condition.detail}
        for condition in missing
    ]
    return ConflictError(
        f"{incident} cannot {step.terms.label.lower()} yet. Still missing: {listed}.",
        code="conditions_unmet",
        details={"missing": facts},
    )


def _list_skipped(incident: Incident, skipped: list[tuple[str, Condition]], *, reason: str, by: User) -> None:
    for name, condition in skipped:
        SkippedCondition.objects.get_or_create(
            incident=incident,
            move=name,
            code=condition.code,
            made_up_at=None,
            defaults={"label": condition.label, "reason": reason, "by": by},
        )


def _transit(incident: Incident, step: Move, *, reason: str, by: User) -> None:
    now = timezone.now()
    if step.name == "declare_emergency":
        incident.emergency_at, incident.emergency_by, incident.emergency_reason = now, by, reason
        incident.emergency_ended_at = None
    elif incident.is_emergency:
        incident.emergency_ended_at = now
    if step.source != step.target:
        incident.moved_at = now
    incident.closed_at = now if step.target in ENDED else None
    getattr(incident, step.name)()
    changed(incident)
