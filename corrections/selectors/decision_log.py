"""What a correction did over time: requests, users and organisations, and some requests as examples."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Min

from corrections.models import Outcome, RefusalCount, TrafficMatch

if TYPE_CHECKING:
    from corrections.models import Correction

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WINDOWS = ("hour", "day", "life")
_WIDTHS = (
    *(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 3, 6, 12)),
    *(timedelta(days=days) for days in (1, 7, 28)),
)
"""How long one column of the chart may be."""
COLUMNS = 60
EXAMPLES = 5


@dataclass(frozen=True)
class Column:
    """What happened in one stretch of time."""

    at: datetime
    refused: int
    shadow: int
    warned: int
    flagged: int
    users: int
    organisations: int


@dataclass(frozen=True)
class Series:
    """A window of time cut into columns, and all of it together, with everybody counted once."""

    since: datetime
    until: datetime
    width: timedelta
    columns: tuple[Column, ...]
    total: Column


def series(correction: Correction, window: str, *, now: datetime) -> Series:
    """Count one correction over the last hour, the last day, or its whole life."""
    since, until, width = _cut(correction, window, now=now)
    found = _touched(correction.policy_id, since, until, width)
    columns = tuple(found.get(at, _nothing(at)) for at in _moments(since, until, width))
    return Series(since, until, width, columns, found[None])


def examples(correction: Correction, *outcomes: Outcome, most: int = EXAMPLES) -> list[TrafficMatch]:
    """Give the latest requests to which it did this: who asked for what, never what was said."""
    of_this = TrafficMatch.objects.filter(correction=correction.policy_id).order_by("-at")
    # The newest of each outcome, by the index: of a long attack all would have to be sorted otherwise.
    first, *others = [of_this.filter(outcome=outcome).values("pk")[:most] for outcome in outcomes]
    newest = first.union(*others, all=True) if others else first
    return list(of_this.filter(pk__in=newest).select_related("record")[:most])


def _cut(correction: Correction, window: str, *, now: datetime) -> tuple[datetime, datetime, timedelta]:
    """Choose columns so that about sixty of them fill the window, on round minutes, hours or days."""
    begun = {"hour": now - HOUR, "day": now - DAY}.get(window) or _born(correction, now=now)
    width = next((each for each in _WIDTHS if (now - begun) / each <= COLUMNS), _WIDTHS[-1])
    since = _floor(begun, width)
    return since, _floor(now, width) + width, width


def _born(correction: Correction, *, now: datetime) -> datetime:
    """Give when there is first something to count: what was approved, or what was counted before that."""
    rows = RefusalCount.objects.filter(correction=correction.policy_id)
    first = rows.aggregate(first=Min("minute"))["first"]
    moments = [each for each in (first, correction.approved_at, now - HOUR) if each is not None]
    return min(moments)


def _floor(moment: datetime, width: timedelta) -> datetime:
    seconds = int(width.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, tz=UTC)


def _moments(since: datetime, until: datetime, width: timedelta) -> list[datetime]:
    return [since + width * number for number in range(int((until - since) / width))]


def _nothing(at: datetime) -> Column:
    return Column(at, 0, 0, 0, 0, 0, 0)


_TOUCHED = """
WITH touched AS MATERIALIZED (
  SELECT date_bin(%(width)s, minute, %(origin)s) AS column_at, organisation, "user", sum(refused) AS refused,
    sum(shadow) AS shadow, sum(warned) AS warned, sum(flagged) AS flagged
  FROM corrections_refusalcount
  WHERE correction = %(correction)s AND minute >= %(since)s AND minute < %(until)s
  GROUP BY 1, 2, 3
), everybody AS (
  SELECT organisation, "user", sum(refused) AS refused, sum(shadow) AS shadow, sum(warned) AS warned,
    sum(flagged) AS flagged
  FROM touched GROUP BY 1, 2
)
SELECT column_at, sum(refused)::bigint, sum(shadow)::bigint, sum(warned)::bigint, sum(flagged)::bigint,
  count(*), count(DISTINCT organisation)
FROM touched GROUP BY 1
UNION ALL
SELECT NULL, coalesce(sum(refused), 0)::bigint, coalesce(sum(shadow), 0)::bigint,
  coalesce(sum(warned), 0)::bigint, coalesce(sum(flagged), 0)::bigint, count(*), count(DISTINCT organisation)
FROM everybody
"""
"""One row for each column, and one without a time for all of them, where everybody is counted once."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _touched(name: str, since: datetime, until: datetime, width: timedelta) -> dict[datetime | None, Column]:
    """Give what was counted by column; under None, what was counted in all."""
    asked: dict[str, Any] = {"correction": name, "since": since, "until": until, "width": width}
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHED, asked | {"origin": _EPOCH})
        return {at: Column(at or since, *counted) for at, *counted in cursor.fetchall()}
