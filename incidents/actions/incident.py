"""Opening and editing an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from incidents import policies
from incidents.actions.shared import changed, locked, settle_skipped, words
from incidents.models import Incident
from incidents.states import Severity
from irapp.audit.record import hint, record
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from irapp.accounts.models import User


@transaction.atomic
def open_incident(
    *,
    title: str,
    by: User,
    summary: str = "",
    severity: str = "",
    model_name: str = "",
    restricted: bool = False,
    source: str = "",
) -> Incident:
    """Open an incident in preparation.

    :param source: what it was opened from, for the record, for example a signal's reference.
    """
    policies.check_can_open(by)
    incident: Incident = Incident.objects.create(
        title=_title(title),
        summary=words(summary, "summary", required=False),
        severity=_severity(severity),
        model_name=_model_name(model_name),
        restricted=restricted,
        opened_by=by,
    )
    hint("queue", "inbox")
    record("incident.opened", incident, by=by, title=incident.title, severity=severity, source=source)
    return incident


@transaction.atomic
def edit(
    *,
    incident_id: int,
    by: User,
    revision: int | None = None,
    title: str | None = None,
    summary: str | None = None,
    severity: str | None = None,
    model_name: str | None = None,
) -> Incident:
    """Change what is given; refuse where somebody else changed the incident since ``revision``."""
    incident = locked(incident_id, revision=revision)
    policies.check_can_edit(incident, by)
    wanted = {
        "title": None if title is None else _title(title),
        "summary": None if summary is None else words(summary, "summary", required=False),
        "severity": None if severity is None else _severity(severity),
        "model_name": None if model_name is None else _model_name(model_name),
    }
    changes = _apply(incident, wanted)
    if changes:
        changed(incident)
        record("incident.edited", incident, by=by, changes=changes, revision=incident.revision)
        settle_skipped(incident, by=by)
    return incident


@transaction.atomic
def restrict(*, incident_id: int, restricted: bool, reason: str, by: User) -> Incident:
    """Close an incident to those with a need to know, or open it to all who have a role."""
    incident = locked(incident_id)
    policies.check_can_restrict(incident, by)
    reason = words(reason, "reason", most=2000)
    if incident.restricted != restricted:
        incident.restricted = restricted
        changed(incident)
        record(
            "incident.restricted" if restricted else "incident.unrestricted", incident, by=by, reason=reason
        )
    return incident


def _apply(incident: Incident, wanted: dict[str, str | None]) -> dict[str, list[str]]:
    changes = {}
    for field, value in wanted.items():
        before = getattr(incident, field)
        if value is not None and value != before:
            changes[field] = [before, value]
            setattr(incident, field, value)
    return changes


def _title(value: str) -> str:
    return words(value, "title", most=200)


def _model_name(value: str) -> str:
    return words(value, "model_name", most=100, required=False)


def _severity(value: str) -> str:
    if value and value not in Severity.values:
        allowed = ", ".join(Severity.values)
        raise InvalidError(
            f"“{value}” is not a severity; use one of {allowed}.", code="unknown_severity", field="severity"
        )
    return value
