"""Telling the hubs what became of requests: attributes only, in batches, and nobody waits for it."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate, islice
from threading import Lock
from typing import Any

import msgspec

from enforcement.agent.hubs import TOLD_SECONDS, UNFORESEEN, Hub, hand_in
from enforcement.agent.state import State
from enforcement.decide import Attributes
from enforcement.report import BIGGEST, TrafficRecord, TrafficTaken

MOST, MOST_BYTES = 20_000, 64_000_000
"""Records that wait for a hub, in number and together; of more, the oldest are lost."""
BATCH, BATCH_BYTES = 1000, 4_000_000
PAUSE_SECONDS = 0.3
LONGEST, MANY = 200, 64
"""How much of a name is told, and of how many."""


@dataclass
class Ledger:
    """What is to be told, and what each correction refused. Written by requests, read by the keeper."""

    gateway: str
    lost: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    _log: str = field(default_factory=lambda: secrets.token_hex(8))
    _seq: int = 0
    _waiting: deque[tuple[TrafficRecord, int]] = field(default_factory=deque)
    """Records, and how many bytes each is."""
    _bytes: int = 0
    _lock: Lock = field(default_factory=Lock)

    def note(self, asked: Attributes, counted: Iterable[str] = (), **found: Any) -> None:
        """Note one request, or what a filter did to it.

        :param counted: the corrections that refused it, or would have.
        :param found: the other members of the record.
        """
        record = TrafficRecord(at=datetime.now(UTC), gateway=self.gateway, **_told(asked), **found)
        size = len(msgspec.json.encode(record))
        with self._lock:
            self._seq += 1
            self._waiting.append((msgspec.structs.replace(record, log=self._log, seq=self._seq), size))
            self._bytes += size
            self.refused.update(counted)
            while len(self._waiting) > MOST or self._bytes > MOST_BYTES:
                self._forget()
                self.lost += 1

    def waiting(self) -> Sequence[TrafficRecord]:
        """Give the oldest records, at least one, and no more than a hub takes at once."""
        with self._lock:
            oldest = list(islice(self._waiting, BATCH))
        ends = accumulate(size for _, size in oldest)
        return [one for (one, size), end in zip(oldest, ends, strict=True) if end <= max(size, BATCH_BYTES)]

    def done(self, records: Sequence[TrafficRecord]) -> None:
        """Forget what a hub has."""
        last = records[-1].seq or 0
        with self._lock:
            while self._waiting and (self._waiting[0][0].seq or 0) <= last:
                self._forget()

    def _forget(self) -> None:
        self._bytes -= self._waiting.popleft()[1]


@dataclass
class HandingIn:
    """Brings the ledger to the hubs."""

    ledger: Ledger
    hubs: Sequence[Hub]
    state: State
    _left_out: int = 0
    _lost: int = 0

    async def run(self) -> None:
        """Hand in for ever."""
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                while await self._one_batch():
                    pass
                self.state.solved("traffic")
            except UNFORESEEN as error:
                self.state.problem("traffic", repr(error))
            if self.ledger.lost > self._lost:
                self._lost = self.ledger.lost
                told = f"{self._lost} records waited too long for a hub"
                self.state.news("traffic_lost", told, seconds=TOLD_SECONDS)

    async def _one_batch(self) -> bool:
        records = self.ledger.waiting()
        if not records:
            return False
        taken = await hand_in(self.hubs, self.ledger.gateway, records)
        if taken is None:
            return False
        self.ledger.done(records)
        self._tell_left_out(taken)
        return True

    def _tell_left_out(self, taken: TrafficTaken) -> None:
        """Tell what no hub keeps, by what the one says that left out the fewest."""
        if taken.left_out:
            self._left_out += taken.left_out
            why = "; ".join(each.reason for each in taken.examples)
            told = f"{self._left_out} records are not kept; of the last: {why}"
            self.state.news("traffic_left_out", told, seconds=TOLD_SECONDS)


def _told(asked: Attributes) -> dict[str, Any]:
    """Give the attributes as every reader can hold them; turns stay here."""
    names = (name for name in TrafficRecord.__struct_fields__ if hasattr(asked, name))
    return {name: _short(getattr(asked, name)) for name in names}


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value[:LONGEST].encode(errors="replace").decode().replace("\0", "")
    if isinstance(value, tuple):
        return tuple(map(_short, value[:MANY]))
    if isinstance(value, int) and not isinstance(value, bool):
        return min(max(value, 0), BIGGEST)
    return value
