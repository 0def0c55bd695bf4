"""The list of segments, and that of pattern sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corrections.segments import policies
from corrections.segments.models import Register, Segment
from corrections.segments.panels.words import allowed
from corrections.segments.selectors import usage
from irapp.common.paging import Page, page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from irapp.accounts.models import User

ROWS = 25


@dataclass(frozen=True)
class Row:
    """A segment or pattern set in the list."""

    register: Register
    used: int


@dataclass(frozen=True)
class Listing:
    """One page of the list."""

    rows: Sequence[Row]
    page: Page[Any]
    may: bool
    filtered: bool


def listing(user: User, rows: QuerySet[Any], query: Mapping[str, str], filters: Mapping[str, str]) -> Listing:
    """Collect one page of the list."""
    cut = page(_filtered(rows.visible_to(user), filters), query, size=ROWS)  # type: ignore[attr-defined]
    segments = rows.model is Segment
    used = (usage.segment_use_counts() if segments else usage.pattern_set_use_counts()) if cut.rows else {}
    shown = [Row(register, used.get(register.pk, 0)) for register in cut.rows]
    return Listing(shown, cut, allowed(policies.check_can_keep, user), any(filters.values()))


def _filtered(rows: Any, filters: Mapping[str, str]) -> Any:
    state = filters.get("state", "")
    if state != "all":
        rows = rows.exclude(retired_at=None) if state == "retired" else rows.current()
    if filters.get("of"):
        rows = rows.filter(of=filters["of"])
    if filters.get("q"):
        rows = rows.matching(filters["q"])
    return rows.select_related("owner")
