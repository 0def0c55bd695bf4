"""Who works on an outbox row, and until when. Each function is one short transaction."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from django.db import models, transaction
from django.db.models import Q

from irapp.audit.models import Event, OutboxItem
from irapp.audit.record import record

ON_ITS_WAY = timedelta(seconds=15)
"""How long a message may take to a worker before the item is handed out again."""
MARGIN = timedelta(seconds=5)
LONGEST_PAUSE = 60.0
IN_FLIGHT = 500
"""With workers away for long, messages would pile up; the rest waits in the table."""


class Claim(NamedTuple):
    """An item handed out to whoever presents the lease."""

    item_id: int
    lease: UUID
    handler: str


def claim(*, now: datetime, limit: int = 50, overdue: timedelta = timedelta()) -> list[Claim]:
    """Take due items that nobody holds, oldest first; two processes never get the same one.

    :param overdue: leave what is younger to others.
    """
    with transaction.atomic():
        owed = OutboxItem.objects.filter(done_at=None, dead_at=None)
        limit = min(limit, IN_FLIGHT - owed.filter(leased_until__gt=now).count())
        if limit <= 0:
            return []
        free = Q(lease=None) | Q(leased_until__lte=now - overdue)
        rows = owed.filter(free, due_at__lte=now - overdue).select_for_update(skip_locked=True)
        items = list(rows.order_by("due_at")[:limit])
        for item in items:
            item.lease, item.leased_until = uuid4(), now + ON_ITS_WAY
        OutboxItem.objects.bulk_update(items, ["lease", "leased_until"])
    return [Claim(item.pk, item.lease, item.handler) for item in items if item.lease]


def begin(item_id: int, lease: UUID, *, now: datetime, patience: Callable[[str], int]) -> OutboxItem | None:
    """Exchange the lease for one of our own, once; None if it does not stand any more."""
    with transaction.atomic():
        held = OutboxItem.objects.select_for_update().filter(pk=item_id, lease=lease)
        item = held.filter(done_at=None, dead_at=None).first()
        if item is None:
            return None
        item.lease = uuid4()
        item.leased_until = now + timedelta(seconds=patience(item.handler)) + MARGIN
        item.attempts += 1
        item.save()
    return item


def finish(item: OutboxItem, *, now: datetime) -> bool:
    """Note that it is done, if the lease is still ours."""
    return _own(item).update(done_at=now, lease=None, leased_until=None, last_error="") == 1


def put_off(item: OutboxItem, reason: str, *, now: datetime) -> datetime:
    """Note why it failed and try again later: doubling, never in step with others."""
    pause = min(LONGEST_PAUSE, 2.0 ** (item.attempts - 1)) * random.uniform(0.5, 1.0)  # noqa: S311 (spread)
    due_at = now + timedelta(seconds=pause)
    _own(item).update(due_at=due_at, lease=None, leased_until=None, last_error=reason[:2000])
    return due_at


def bury(item: OutboxItem, reason: str, *, now: datetime) -> bool:
    """Give up and leave it to people, with an event; False if somebody else holds it by now."""
    with transaction.atomic():
        died = _own(item).update(dead_at=now, lease=None, leased_until=None, last_error=reason[:2000])
        if died:
            cause = Event.objects.filter(pk=item.event_id).first() if item.event_id else None
            item.incident_id = cause.incident_id if cause else None
            record("outbox.died", item, by=None, attempts=item.attempts, error=reason[:500])
    return died == 1


def _own(item: OutboxItem) -> models.QuerySet[OutboxItem]:
    return OutboxItem.objects.filter(id=item.id, lease=item.lease)
