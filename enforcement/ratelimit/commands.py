"""What a counter is asked to do, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

SLOTS = 128
"""Into how many slots a window is cut; amounts up to this are counted to the millisecond."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Take:
    """Count hits against an amount per window.

    :param hits: 0 only asks whether anything is left.
    :param burst: how many may come at once; 0: as many as the amount.
    :param force: count them even if they are too many.
    """

    key: str
    amount: int
    window_ms: int
    hits: int
    burst: int = 0
    force: bool = False

    @property
    def slot_ms(self) -> int:
        """How much time is counted as one moment."""
        return 1 if self.amount <= SLOTS else max(1, -(-self.window_ms // SLOTS))


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """Hold places out of an amount until they are freed, or the lease lapses."""

    key: str
    amount: int
    lease: str
    places: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Free:
    """Give the places of a lease back."""

    key: str
    lease: str
    places: int = 1


Command: TypeAlias = Take | Hold | Free


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """Whether it was allowed, what is left, and when it may be, if it was not."""

    allowed: bool
    remaining: int = 0
    wait_ms: int = 0
