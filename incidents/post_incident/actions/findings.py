"""Lessons, and what they changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from incidents.actions import words
from incidents.post_incident import policies
from incidents.post_incident.actions.reviews import locked, touch
from incidents.post_incident.models import Finding
from irapp.audit.record import record
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from irapp.accounts.models import User


@transaction.atomic
def add_finding(
    *, incident_id: int, title: str, by: User, detail: str = "", root_cause: bool = False
) -> Finding:
    """Write down a lesson."""
    review = locked(incident_id)
    policies.check_can_write(review.incident, by)
    finding = Finding.objects.create(
        review=review,
        title=words(title, "title", most=200),
        detail=words(detail, "detail", required=False),
        root_cause=root_cause,
        added_by=by,
    )
    touch(review, by=by)
    record("finding.added", finding, by=by)
    return finding


@transaction.atomic
def link_finding(*, finding_id: int, changed: str, change: str, by: User) -> Finding:
    """Say what the lesson changed in the preparation."""
    finding = _locked(finding_id)
    policies.check_can_write(finding.review.incident, by)
    if changed not in Finding.Changed.values:
        raise InvalidError("Choose what was changed.", field="changed", code="unknown_kind")
    finding.changed, finding.change = changed, words(change, "change", most=500)
    finding.waived_by, finding.waived_reason = None, ""
    return _settled(finding, "finding.fed_back", by=by, reason=finding.change)


@transaction.atomic
def waive_finding(*, finding_id: int, reason: str, by: User) -> Finding:
    """Leave a lesson without consequence, and say why."""
    finding = _locked(finding_id)
    policies.check_can_waive(finding.review.incident, by)
    finding.waived_by, finding.waived_reason = by, words(reason, "reason", most=2000)
    finding.changed = finding.change = ""
    return _settled(finding, "finding.waived", by=by, reason=finding.waived_reason)


@transaction.atomic
def remove_finding(*, finding_id: int, by: User) -> None:
    """Take back a finding. Submissions that carried it, and the event, stay."""
    finding = _locked(finding_id)
    policies.check_can_write(finding.review.incident, by)
    record("finding.removed", finding, by=by, title=finding.title, detail=finding.detail)
    finding.delete()
    touch(finding.review, by=by)


def _settled(finding: Finding, verb: str, *, by: User, reason: str) -> Finding:
    finding.save()
    touch(finding.review, by=by)
    record(verb, finding, by=by, reason=reason, changed=finding.changed)
    return finding


def _locked(finding_id: int) -> Finding:
    incident_id = Finding.objects.filter(pk=finding_id).values_list("review__incident_id", flat=True).first()
    if incident_id is None:
        raise InvalidError("There is no such finding.", code="unknown_finding", field="finding")
    review = locked(incident_id)
    finding = Finding.objects.get(pk=finding_id)
    finding.review = review
    return finding
