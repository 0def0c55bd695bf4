"""Bringing the open alarms in line with what is wrong: raise what is new, clear what has healed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrections.actions.alarms import clear_alarm, raise_alarm
from corrections.models import Alarm, AlarmKind
from corrections.publishing.faults import standing

if TYPE_CHECKING:
    from datetime import datetime

HEALED = {
    AlarmKind.ALLOWED: "No further matching request was let through.",
    AlarmKind.DRIFT: "Every gateway does again what is wanted.",
    AlarmKind.CONFLICT: "It holds a policy of ours again.",
    AlarmKind.REJECTION: "The gateway takes what it is given again.",
    AlarmKind.FAILED: "It is in force, tried again, or no longer wanted.",
    AlarmKind.SILENCE: "It reports again, or was retired.",
    AlarmKind.HUB: "It answers again and holds what is wanted.",
    AlarmKind.NOT_LIFTED: "Every gateway has shown that it is gone.",
    AlarmKind.HELD: "It was lifted, renewed, or replaced.",
}
HEALED_OF = {
    "clock": "Its clock is right again, or it was retired.",
    "log": "Nothing was left out of the decision log lately.",
    "retired": "It was taken up again, or reports no longer.",
}
"""What is said instead where the cause is one of these."""


def settle(*, now: datetime) -> None:
    """Compare once. Safe to run twice and by several at a time; each change is its own transaction."""
    seen = standing(now=now)
    wanted = {(fault.kind, fault.cause): fault for fault in seen.faults}
    opened = {(AlarmKind(alarm.kind), alarm.cause): alarm for alarm in Alarm.objects.open()}
    for key, fault in wanted.items():
        known = opened.get(key)
        if known is None or (known.detail, bool(known.examples)) != (fault.detail, bool(fault.examples)):
            raise_alarm(fault, now=now)
    for key, alarm in opened.items():
        if key not in wanted and seen.judges(*key):
            clear_alarm(alarm_id=alarm.pk, because=_healed(*key), now=now)


def _healed(kind: AlarmKind, cause: str) -> str:
    return HEALED_OF.get(cause.partition(":")[0], HEALED[kind])
