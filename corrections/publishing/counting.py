"""Which records were counted before: gateways hand the same ones to every hub, and again after a crash."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from corrections.models import TrafficSeen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from enforcement.report import TrafficRecord as Said

MOST = 1000
"""Holes that are remembered: what is older counts as seen."""


def fresh(records: Sequence[Said], *, now: datetime) -> list[Said]:
    """Leave out what was counted before, and remember the rest. In the caller's transaction.

    A record without a number is taken as it comes.
    """
    numbered = {(said.gateway[:200], said.log[:64]) for said in records if said.seq is not None}
    seen = {key: _Seen(*key) for key in sorted(numbered)}
    found = [
        said for said in records if said.seq is None or seen[said.gateway[:200], said.log[:64]].take(said.seq)
    ]
    for each in seen.values():
        each.save(now=now)
    return found


class _Seen:
    """The numbers counted of one log, as ranges that grow together."""

    def __init__(self, gateway: str, log: str) -> None:
        TrafficSeen.objects.get_or_create(gateway=gateway, log=log)
        self._row = TrafficSeen.objects.select_for_update().get(gateway=gateway, log=log)
        self._ranges: list[list[int]] = [list(pair) for pair in self._row.ranges]

    def take(self, number: int) -> bool:
        """Count a number; tell whether it is new."""
        place = bisect_right(self._ranges, number, key=lambda pair: pair[0])
        before = self._ranges[place - 1] if place else None
        if before is not None and number <= before[1]:
            return False
        after = self._ranges[place] if place < len(self._ranges) else None
        self._join(place, before, after, number)
        return True

    def save(self, *, now: datetime) -> None:
        """Write it down."""
        self._row.ranges, self._row.seen_at = _few(self._ranges), now
        self._row.save()

    def _join(self, place: int, before: list[int] | None, after: list[int] | None, number: int) -> None:
        behind = before is not None and before[1] == number - 1
        ahead = after is not None and after[0] == number + 1
        if behind and ahead:
            before[1] = after[1]  # type: ignore[index]
            del self._ranges[place]
        elif behind:
            before[1] = number  # type: ignore[index]
        elif ahead:
            after[0] = number  # type: ignore[index]
        else:
            self._ranges.insert(place, [number, number])


def _few(ranges: list[list[int]]) -> list[list[int]]:
    """Close the oldest holes where there are too many."""
    excess = len(ranges) - MOST
    return ranges if excess <= 0 else [[ranges[0][0], ranges[excess][1]], *ranges[excess + 1 :]]
