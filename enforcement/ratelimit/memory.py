"""Counting in the service's own memory: for this gateway alone, while nothing better answers.

The same rules as ``scripts/take.lua`` and ``scripts/hold.lua``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from time import monotonic

from enforcement.ratelimit.commands import Free, Hold, Outcome, Take

RETRY_MS = 1000


@dataclass(slots=True)
class Window:
    """The hits of one subject, by slot of time."""

    window_ms: int
    slot_ms: int
    slots: dict[int, int] = field(default_factory=dict)
    due: float = 0

    def used(self, now: int) -> int:
        """Forget what is past and give what counts."""
        oldest = (now - self.window_ms + 1) // self.slot_ms
        for slot in [slot for slot in self.slots if slot < oldest]:
            del self.slots[slot]
        return sum(self.slots.values())

    def since(self, moment: int) -> int:
        """Give the hits that were counted since a moment."""
        return sum(hits for slot, hits in self.slots.items() if (slot + 1) * self.slot_ms > moment)

    def add(self, now: int, hits: int) -> None:
        """Count hits now."""
        slot = now // self.slot_ms
        self.slots[slot] = self.slots.get(slot, 0) + hits

    def opens(self, now: int, over: int) -> int:
        """Give the milliseconds after which ``over`` hits less count."""
        for slot in sorted(self.slots):
            over -= self.slots[slot]
            if over <= 0:
                return (slot + 1) * self.slot_ms - 1 + self.window_ms - now
        return self.window_ms


@dataclass(frozen=True, slots=True)
class Lease:
    """Places that a running request holds, and since when."""

    places: int
    since: float


class Memory:
    """The counters of this process."""

    def __init__(self) -> None:
        self._windows: dict[str, Window] = {}
        self._leases: dict[str, dict[str, Lease]] = {}

    def take(self, take: Take, now: int | None = None) -> Outcome:
        """Count hits in a sliding window."""
        now = clock() if now is None else now
        window = self._windows.get(take.key)
        if window is None:
            window = self._windows[take.key] = Window(take.window_ms, take.slot_ms)
        used = window.used(now)
        over, wait, due = _excess(take, window, used, now)
        fits = over <= 0 and wait < 0.01  # noqa: PLR2004 - rounding
        if take.hits and (fits or take.force):
            window.add(now, take.hits)
            window.due = due if fits else window.due
        if fits:
            return Outcome(allowed=True, remaining=take.amount - used - take.hits)
        wait = max(wait, window.opens(now, over)) if over > 0 else wait
        wait = min(wait, take.window_ms + take.slot_ms)
        return Outcome(allowed=False, remaining=max(0, take.amount - used), wait_ms=int(wait) + 1)

    def counted(self) -> Iterable[str]:
        """Give the subjects of whom hits are counted."""
        return self._windows

    def counted_since(self, key: str, moment: int) -> int:
        """Give the hits of a subject that were counted here since a moment, and still count."""
        window = self._windows.get(key)
        if window is None:
            return 0
        window.used(clock())
        return window.since(moment)

    def hold(self, hold: Hold, *, force: bool = False) -> Outcome:
        """Hold places."""
        leases = self._leases.setdefault(hold.key, {})
        free = hold.amount - sum(lease.places for lease in leases.values())
        if hold.places > free and not force:
            return Outcome(allowed=False, remaining=max(0, free), wait_ms=RETRY_MS)
        leases[hold.lease] = Lease(hold.places, monotonic())
        return Outcome(allowed=True, remaining=max(0, free - hold.places))

    def free(self, free: Free) -> Outcome:
        """Give places back; those of an unknown lease are back already."""
        leases = self._leases.get(free.key, {})
        leases.pop(free.lease, None)
        if not leases:
            self._leases.pop(free.key, None)
        return Outcome(allowed=True)

    def held(self) -> Iterator[tuple[str, dict[str, int]]]:
        """Give the leases of every subject with their places."""
        for key, leases in self._leases.items():
            yield key, {name: lease.places for name, lease in leases.items()}

    def drop_leases(self, before: float) -> list[Free]:
        """Forget the leases that were given before a moment; give what is to be freed elsewhere too."""
        old = [
            Free(key=key, lease=name, places=lease.places)
            for key, leases in self._leases.items()
            for name, lease in leases.items()
            if lease.since < before
        ]
        for one in old:
            self.free(one)
        return old

    def sweep(self) -> None:
        """Forget the subjects of whom nothing counts any more."""
        now = clock()
        for key in [key for key, window in self._windows.items() if not window.used(now)]:
            del self._windows[key]


def clock() -> int:
    """Give the milliseconds of a clock that nobody sets."""
    return int(monotonic() * 1000)


def _excess(take: Take, window: Window, used: int, now: int) -> tuple[int, float, float]:
    """Give by how many hits it is over, how long a burst has to wait, and when its bucket is full again."""
    over = used + max(take.hits, 1) - take.amount
    if not take.burst:
        return over, 0, 0
    pace = take.window_ms / take.amount
    due = max(window.due, now) + take.hits * pace
    return over, max(0.0, due - now - take.burst * pace), due
