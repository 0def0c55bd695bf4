"""Callers who ask so often that a part of what is noted of others says as much about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from enforcement.report import TrafficRecord

BECOMES, STAYS = 50, 10
"""Requests a second over a minute. The one is far from the other, since what is noted of a busy caller is
little: nobody goes to and fro because of that."""


class Busy:
    """Counts who asks how often, minute by minute of the requests themselves."""

    def __init__(self) -> None:
        self.keys: frozenset[str] = frozenset()
        self._minute: datetime | None = None
        self._asked: Counter[str] = Counter()

    def note(self, records: Iterable[TrafficRecord]) -> bool:
        """Count requests; tell whether a minute has ended with others busy than before."""
        before = self.keys
        for record in records:
            minute = record.at.replace(second=0, microsecond=0)
            if self._minute is None or minute > self._minute:
                self._judge()
                self._minute = minute
            self._asked[record.key] += record.weight
        return self.keys != before

    def _judge(self) -> None:
        self.keys = frozenset(
            key
            for key, asked in self._asked.items()
            if asked >= 60 * (STAYS if key in self.keys else BECOMES)
        )
        self._asked.clear()
