"""Callers who ask so often that a part of what is noted of others says as much about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from enforcement.report import TrafficRecord

BECOMES, STAYS = 50, 10
"""Requests a second over a minute. The one is far from the other, since what is noted of a busy caller is
little: nobody goes to and fro because of that."""
LATE = timedelta(minutes=1)
"""After so long all of a minute has been written down, but for what takes long."""
_FIRST = datetime.min.replace(tzinfo=UTC)


class Busy:
    """Counts who asks how often, minute by minute of the requests themselves."""

    def __init__(self) -> None:
        self.keys: frozenset[str] = frozenset()
        self._minute = _FIRST
        self._asked: Counter[str] = Counter()

    def note(self, records: Sequence[TrafficRecord], now: datetime) -> bool:
        """Count requests; tell whether a minute has ended with others busy than before.

        :param records: none where all that was noted until ``now`` has been counted.
        """
        before = self.keys
        if self._minute > now + LATE:  # the clock has been set back
            self._minute = _FIRST
        for record in records:
            self._come_to(record.at)
            self._asked[record.key] += record.weight
        if not records:
            self._come_to(now - LATE)
        return self.keys != before

    def _come_to(self, moment: datetime) -> None:
        """Judge the minute that has ended, and any without a request. What took long counts when it ends."""
        minute = moment.replace(second=0, microsecond=0)
        if minute <= self._minute:
            return
        self._judge()
        if minute - self._minute > timedelta(minutes=1):
            self.keys = frozenset()
        self._minute = minute

    def _judge(self) -> None:
        self.keys = frozenset(
            key
            for key, asked in self._asked.items()
            if asked >= 60 * (STAYS if key in self.keys else BECOMES)
        )
        self._asked.clear()
