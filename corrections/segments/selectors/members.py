"""Who is in a segment."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from corrections.segments import contents
from corrections.segments.models import Packing, PatternSet, PatternSetVersion, Segment, SegmentVersion
from corrections.segments.packing import Parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enforcement import policy

T = TypeVar("T")
PAGE = 100


@dataclass(frozen=True)
class Paged(Generic[T]):
    """One page of what a version holds.

    :ivar first: the place of the first one shown, from 1; 0 where there is none.
    """

    rows: Sequence[T]
    first: int
    total: int
    page: int
    pages: int

    @property
    def last(self) -> int:
        """The place of the last one shown."""
        return self.first + len(self.rows) - 1 if self.rows else 0

    @property
    def title(self) -> str:
        """Say which ones these are."""
        return f"{self.first:,} to {self.last:,} of {self.total:,}"


@dataclass(frozen=True)
class Difference:
    """What distinguishes two versions."""

    added: Sequence[str]
    removed: Sequence[str]


def version_of(segment: Segment, number: int | None = None) -> SegmentVersion | None:
    """Give a version, the newest one unless a number is given."""
    rows = segment.versions.select_related("segment")
    return rows.filter(number=segment.version if number is None else number).first()


def packing_of(version: SegmentVersion | None) -> Packing | None:
    """Give the attachments that a version consists of now."""
    return version.packings.without_bytes().first() if version else None


def parts_of(version: SegmentVersion | None) -> Parts:
    """Give the list in its two parts."""
    packing = packing_of(version)
    if packing is None:
        return Parts()
    base, recent = (contents.subjects(each) if each else frozenset() for each in _both(packing))
    return Parts(base, recent, packing.base_id)


def everybody(version: SegmentVersion | None) -> tuple[str, ...]:
    """Give all names of a version, in order."""
    packing = packing_of(version)
    return contents.in_order(*packing.digests) if packing else ()


def contains(version: SegmentVersion | None, name: str) -> bool:
    """Tell whether exactly this subject is in it."""
    names = everybody(version)
    place = bisect_left(names, name)
    return place < len(names) and names[place] == name


def browse(version: SegmentVersion | None, *, text: str = "", page: int = 1) -> Paged[str]:
    """Cut a page of the names that hold a text. A version never changes, so its pages do not either."""
    names: Sequence[str] = everybody(version)
    if text:
        wanted = text.casefold()
        names = [name for name in names if wanted in name.casefold()]
    return _page(names, page)


def browse_patterns(
    version: PatternSetVersion | None, *, text: str = "", page: int = 1
) -> Paged[policy.Pattern]:
    """Cut a page of the patterns whose id or text holds a text."""
    wanted = text.casefold()
    rows = [
        each
        for each in patterns_in(version)
        if wanted in each.text.casefold() or wanted in each.id.casefold()
    ]
    return _page(rows, page)


def only(rows: Sequence[T]) -> Paged[T]:
    """Treat a few rows as the one page there is."""
    return _page(rows, 1)


def difference(old: SegmentVersion | None, new: SegmentVersion | None) -> Difference:
    """Compare two versions."""
    before, after = set(everybody(old)), set(everybody(new))
    return Difference(sorted(after - before), sorted(before - after))


def patterns_difference(
    old: PatternSetVersion | None, new: PatternSetVersion | None
) -> list[tuple[policy.Pattern | None, policy.Pattern | None]]:
    """Give each pattern that differs, before and after."""
    before = {each.id: each for each in patterns_in(old)}
    after = {each.id: each for each in patterns_in(new)}
    keys = sorted(before.keys() | after.keys())
    return [(before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]


def patterns_version(register: PatternSet, number: int | None = None) -> PatternSetVersion | None:
    """Give a version of a pattern set, the newest one unless a number is given."""
    rows = register.versions.select_related("pattern_set", "attachment").defer("attachment__raw")
    return rows.filter(number=register.version if number is None else number).first()


def patterns_in(version: PatternSetVersion | None) -> tuple[policy.Pattern, ...]:
    """Give the patterns of a version."""
    return contents.patterns(version.attachment_id).patterns if version else ()


def _page(rows: Sequence[T], page: int) -> Paged[T]:
    pages = max(1, -(-len(rows) // PAGE))
    page = min(max(page, 1), pages)
    start = (page - 1) * PAGE
    shown = rows[start : start + PAGE]
    return Paged(shown, start + 1 if shown else 0, len(rows), page, pages)


def _both(packing: Packing) -> tuple[str | None, str | None]:
    return packing.base_id, packing.recent_id
