"""What people do with a group of signals: lock, policy, transition, save, record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from incidents import actions as incidents
from incidents.actions import words
from incidents.monitoring import policies
from incidents.monitoring.actions.receiving import start_over
from incidents.monitoring.models import Link, SignalGroup
from irapp.audit.record import hint, record
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from incidents.models import Incident
    from irapp.accounts.models import User


@transaction.atomic
def acknowledge(*, group_id: int, by: User) -> SignalGroup:
    """Say that one is looking at it."""
    group = _locked(group_id)
    policies.check_can_acknowledge(group, by)
    group.acknowledged_by, group.acknowledged_at = by, timezone.now()
    group.acknowledge()
    _saved(group)
    record("signals.acknowledged", group, by=by, count=group.count)
    return group


@transaction.atomic
def link_to_incident(*, group_id: int, incident_id: int, by: User) -> SignalGroup:
    """Say that the signals belong to an open incident; a wrong link is put right the same way."""
    incident = incidents.locked(incident_id)
    group = _locked(group_id)
    policies.check_can_link(group, incident, by)
    _take_away(group, to=incident, by=by)
    _link(group, incident, by=by)
    return group


@transaction.atomic
def open_incident_from(
    *,
    group_id: int,
    title: str,
    by: User,
    summary: str = "",
    severity: str = "",
    model_name: str | None = None,
    restricted: bool = False,
) -> Incident:
    """Open an incident and link the signals to it, both or neither.

    :param model_name: left out, the model that the signals are about.
    """
    group = _locked(group_id)
    policies.check_can_open_from(group, by)
    incident = incidents.open_incident(
        title=title,
        summary=summary,
        severity=severity,
        restricted=restricted,
        model_name=group.model_name if model_name is None else model_name,
        source=str(group),
        by=by,
    )
    _link(group, incident, by=by)
    return incident


@transaction.atomic
def close_group(*, group_id: int, reason: str, by: User, count_seen: int | None = None) -> SignalGroup:
    """Say why the signals call for nothing.

    :param count_seen: how many signals the person has seen; refused where more have arrived since.
    """
    group = _locked(group_id)
    policies.check_can_close(group, by)
    _check_seen(group, count_seen)
    group.closed_reason = words(reason, "reason", most=2000)
    group.closed_by, group.closed_at = by, timezone.now()
    group.close()
    _saved(group)
    record("signals.closed", group, by=by, reason=group.closed_reason, count=group.count)
    return group


@transaction.atomic
def reopen(*, group_id: int, by: User, reason: str = "") -> SignalGroup:
    """Take up again what was closed."""
    group = _locked(group_id)
    policies.check_can_reopen(group, by)
    reason = words(reason, "reason", most=2000, required=False)
    start_over(group)
    group.reopen()
    _saved(group)
    record("signals.reopened", group, by=by, reason=reason)
    return group


def _locked(group_id: int) -> SignalGroup:
    """Lock a group; an incident it has to do with is locked before it, never after."""
    related = SignalGroup.objects.select_related("incident", "acknowledged_by")
    group: SignalGroup | None
    group = related.select_for_update(of=("self",), no_key=True).filter(pk=group_id).first()
    if group is None:
        raise InvalidError("There are no such signals.", code="unknown_signals", field="group")
    return group


def _check_seen(group: SignalGroup, count_seen: int | None) -> None:
    if count_seen is not None and count_seen < group.count:
        more = group.count - count_seen
        arrived = "One more signal has" if more == 1 else f"{more} more signals have"
        message = f"{arrived} arrived since you opened this page: look before you close."
        raise ConflictError(message, code="more_arrived", details={"count": group.count})


def _take_away(group: SignalGroup, *, to: Incident, by: User) -> None:
    """Tell the incident that the signals were linked to by mistake."""
    if group.incident is not None and group.incident.is_open:
        record("signals.moved_away", group, by=by, to=str(to))
        Link.objects.filter(group=group, incident=group.incident).delete()


def _link(group: SignalGroup, incident: Incident, *, by: User) -> None:
    group.incident = incident
    group.link()
    _saved(group)
    Link.objects.get_or_create(group=group, incident=incident, defaults={"by": by})
    seen = {"first_seen_at": group.first_seen_at.isoformat(), "last_seen_at": group.last_seen_at.isoformat()}
    record("signals.linked", group, by=by, incident=str(incident), count=group.count, **seen)


def _saved(group: SignalGroup) -> None:
    group.save()
    hint("queue", "inbox")
