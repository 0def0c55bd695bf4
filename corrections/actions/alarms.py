"""Alarms: raised and cleared by what is observed, acknowledged by people. One open alarm per cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from corrections import policies
from corrections.models import Alarm
from corrections.validation import text
from irapp.audit.record import hint, record

if TYPE_CHECKING:
    from datetime import datetime

    from corrections.publishing.faults import Fault
    from irapp.accounts.models import User

EXAMPLES = 5
NOTE = 500


@transaction.atomic
def raise_alarm(fault: Fault, *, now: datetime) -> Alarm:
    """Open an alarm for a fault, or bring the open one up to date; the fault is told once."""
    alarm, new = Alarm.objects.get_or_create(
        kind=fault.kind,
        cause=fault.cause,
        cleared_at=None,
        defaults={
            "correction_id": fault.correction_id,
            "gateway_id": fault.gateway_id,
            "hub_id": fault.hub_id,
            "detail": fault.detail,
            "examples": list(fault.examples),
            "since": fault.since,
            "raised_at": now,
        },
    )
    if new:
        late = round((now - fault.since).total_seconds(), 1)
        record("alarm.raised", alarm, by=None, kind=alarm.kind, because=alarm.detail, after_seconds=late)
        _tell(alarm)
    elif alarm.detail != fault.detail or (fault.examples and not alarm.examples):
        alarm.detail = fault.detail
        alarm.examples = alarm.examples or list(fault.examples)
        alarm.save(update_fields=["detail", "examples"])
        _tell(alarm)
    return alarm


@transaction.atomic
def clear_alarm(*, alarm_id: int, because: str, now: datetime) -> Alarm:
    """Close an alarm whose fault is gone; twice is once."""
    alarm = _locked(alarm_id)
    if alarm.cleared_at is None:
        alarm.cleared_at, alarm.cleared_because = now, because[:NOTE]
        alarm.save(update_fields=["cleared_at", "cleared_because"])
        lasted = round((now - alarm.since).total_seconds())
        record("alarm.cleared", alarm, by=None, because=because, lasted_seconds=lasted)
        _tell(alarm)
    return alarm


@transaction.atomic
def acknowledge_alarm(*, alarm_id: int, by: User, note: str = "") -> Alarm:
    """Say that somebody has seen it and looks after it. It stays open until the fault is gone.

    :raises ConflictError: ``already_acknowledged``, ``already_cleared``.
    """
    alarm = _locked(alarm_id)
    policies.check_can_acknowledge(alarm, by)
    alarm.acknowledged_at, alarm.acknowledged_by = timezone.now(), by
    alarm.note = text(note, field="note", most=NOTE)
    alarm.save(update_fields=["acknowledged_at", "acknowledged_by", "note"])
    record("alarm.acknowledged", alarm, by=by, kind=alarm.kind, reason=alarm.note)
    _tell(alarm)
    return alarm


def _locked(alarm_id: int) -> Alarm:
    rows = Alarm.objects.select_for_update(of=("self",))
    return rows.select_related("correction__package__incident", "gateway", "hub").get(pk=alarm_id)


def _tell(alarm: Alarm) -> None:
    about = [f"correction:{alarm.correction_id}"] if alarm.correction_id else []
    hint("alarms", "gateways", "inbox", *about)
