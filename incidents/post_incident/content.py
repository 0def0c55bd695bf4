"""The content of a report: everything it says, in one canonical document built by the system."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import rfc8785

from incidents.telling import tell
from irapp.audit.models import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from incidents.models import Incident
    from incidents.post_incident.models import Review

FORMAT = "irapp-review/1"
LEFT_OUT = ("review.", "finding.", "follow_up.", "note.edited", "task.", "package.", "proposal.opened")
"""Events that tell of the paperwork, not of the incident."""

MILESTONES = (
    ("First signal", ("signals.linked", "signal.received")),
    ("Incident opened", ("incident.opened",)),
    ("Correction proposed", ("correction.proposed",)),
    ("Decision taken", ("correction.approved",)),
    ("Verified in force", ("correction.activated",)),
    ("Lifted", ("correction.lifted",)),
)


@dataclass(frozen=True)
class Milestone:
    """When something first happened, and how many seconds after the milestone before (framework E-3)."""

    label: str
    at: datetime
    seconds: float | None


def happened(incident: Incident) -> list[Event]:
    """Give the events that tell the incident, in the order in which they happened."""
    events = Event.objects.filter(incident_id=incident.pk).order_by("id")
    return [event for event in events if not event.verb.startswith(LEFT_OUT)]


def milestones(events: list[Event]) -> list[Milestone]:
    """Read the clock from the events."""
    found = sorted(_firsts(events), key=lambda pair: pair[1])
    befores = [None, *(at for _, at in found)]
    return [
        Milestone(label, at, (at - before).total_seconds() if before else None)
        for (label, at), before in zip(found, befores, strict=False)
    ]


def document(review: Review) -> dict[str, Any]:
    """Give the whole report as plain data."""
    incident = review.incident
    events = happened(incident)
    return {
        "format": FORMAT,
        "incident": _incident(incident),
        "author": str(review.author),
        "summary": review.summary,
        "went_well": review.went_well,
        "went_badly": review.went_badly,
        "decision_quality": review.decision_quality,
        "harm_of_correction": review.harm_of_correction,
        "milestones": [
            {"label": one.label, "at": one.at.isoformat(), "seconds_since_previous": one.seconds}
            for one in milestones(events)
        ],
        "findings": [_finding(finding) for finding in review.findings.select_related("waived_by")],
        "follow_ups": [
            {"title": each.title, "owner": str(each.owner), "due_at": each.due_at.isoformat()}
            for each in review.follow_ups.select_related("owner")
        ],
        "timeline": [_line(event) for event in events],
    }


def canonical(report: dict[str, Any]) -> bytes:
    """Give the bytes that are signed (RFC 8785)."""
    return rfc8785.dumps(report)


def digest(raw: bytes) -> str:
    """Name exactly these bytes."""
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def _firsts(events: list[Event]) -> Iterator[tuple[str, datetime]]:
    for label, verbs in MILESTONES:
        first = next((event for event in events if event.verb in verbs), None)
        if first is not None:
            seen = first.data.get("first_seen_at")  # signals are seen before they are linked
            yield label, datetime.fromisoformat(seen) if seen else first.at


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "reference": incident.reference,
        "title": incident.title,
        "severity": incident.severity,
        "model": incident.model_name,
        "summary": incident.summary,
        "opened_at": incident.opened_at.isoformat(),
        "opened_by": str(incident.opened_by),
        "commander": str(incident.commander or ""),
        "emergency": incident.emergency_reason,
    }


def _finding(finding: Any) -> dict[str, Any]:
    return {
        "title": finding.title,
        "detail": finding.detail,
        "root_cause": finding.root_cause,
        "changed": finding.changed,
        "change": finding.change,
        "waived_reason": finding.waived_reason,
        "waived_by": str(finding.waived_by or ""),
    }


def _line(event: Event) -> dict[str, Any]:
    told = tell(event)
    return {
        "event": event.pk,
        "at": event.at.isoformat(),
        "who": event.actor_name,
        "what": told.what,
        "about": event.target_name,
        "why": told.text,
        "detail": told.detail,
    }
