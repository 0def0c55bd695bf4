"""What beat asks for. Each task may run twice, late or not at all; what is owed stands in the database."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from celery import shared_task
from django.db import connection
from django.utils import timezone

from corrections.actions import clocks
from corrections.publishing import traffic, watching

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECONCILE, _TICK, _TRAFFIC, _CONDENSE = 0x1_7A9_0010, 0x1_7A9_0011, 0x1_7A9_0012, 0x1_7A9_0013


@shared_task(expires=10)
def reconcile() -> None:
    """Compare hubs and gateways with what is wanted, and raise or clear alarms."""
    with _alone(_RECONCILE) as alone:
        if alone:
            watching.look()


@shared_task(expires=10)
def tick() -> None:
    """Do what is due by the clock."""
    with _alone(_TICK) as alone:
        if alone:
            clocks.tick(now=timezone.now())


@shared_task(expires=10)
def pull_traffic() -> None:
    """Fetch the attributes of recent requests, count and judge them, and forget old ones."""
    with _alone(_TRAFFIC) as alone:
        if alone:
            traffic.pull()
            traffic.purge(now=timezone.now())


@shared_task
def condense_log() -> None:
    """Keep old counts by the hour only, and forget very old ones."""
    with _alone(_CONDENSE) as alone:
        if alone:
            traffic.condense(now=timezone.now())


@contextmanager
def _alone(lock: int) -> Iterator[bool]:
    """Let one worker at a time do it; a slow hub must not tie up the others."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        alone = bool(cursor.fetchone()[0])
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])
