"""How a list is cut into attachments, and what a file would change in it. Pure: sets in, sets out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from corrections.segments.models import Mode

RECENT_MOST: Final = 1_000
"""A recent list that grows beyond this is merged into a new base in the background."""
RECENT_LIMIT: Final = 10_000
"""Beyond this it is merged at once: the background has not come round to it."""
Names = frozenset[str]
NOBODY: Final[Names] = frozenset()


@dataclass(frozen=True)
class Parts:
    """A list in two parts, which have nobody in common."""

    base: Names = NOBODY
    recent: Names = NOBODY
    base_digest: str | None = None
    """Of a base that is stored already, so that nobody has to sort it again."""

    @property
    def everyone(self) -> Names:
        """Both together."""
        return self.base | self.recent

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.base) + len(self.recent)

    @property
    def wants_merging(self) -> bool:
        """The recent list is no longer small."""
        return bool(self.base) and len(self.recent) > RECENT_MOST


@dataclass(frozen=True)
class Change:
    """What becomes of a list.

    :ivar known: names of the file that are in it already.
    :ivar absent: names of the file that were to be removed and are not in it.
    """

    added: Names
    removed: Names
    known: int
    absent: int
    count: int

    @property
    def nothing(self) -> bool:
        """It would stay as it is."""
        return not (self.added or self.removed)


def change(current: Parts, given: Names, mode: Mode) -> Change:
    """Say what taking in these names changes. A few names cost little, however many are there already."""
    common = (given & current.base) | (given & current.recent)
    if mode == Mode.REMOVE:
        return Change(NOBODY, common, 0, len(given) - len(common), current.count - len(common))
    added = given - common
    removed = current.everyone - given if mode == Mode.REPLACE else NOBODY
    return Change(added, removed, len(common), 0, current.count + len(added) - len(removed))


def repacked(parts: Parts, change: Change) -> Parts:
    """Cut the changed list: a base that still holds stays, so that little has to travel."""
    recent = (parts.recent | change.added) - change.removed
    base_holds = bool(parts.base) and not (change.removed & parts.base)
    small = len(recent) <= min(len(parts.base), RECENT_LIMIT)
    if base_holds and small and change.count > RECENT_MOST:
        return replace(parts, recent=recent)
    return Parts((parts.everyone | change.added) - change.removed)


def merged(parts: Parts) -> Parts:
    """Give the same list as one base."""
    return Parts(parts.everyone)
