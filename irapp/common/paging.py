"""Keyset pages by id, newest first: the thousandth page costs what the first one did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlencode

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

M = TypeVar("M", bound="Model")
LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Page(Generic[M]):
    """Some rows and the way to their neighbours."""

    rows: list[M]
    newer_url: str
    older_url: str


def page(rows: QuerySet[M], query: Mapping[str, str], *, size: int = 50) -> Page[M]:
    """Cut the page that ``?before=<id>`` or ``?after=<id>`` asks for; the other parameters are kept."""
    kept = {name: value for name, value in query.items() if value and name not in {"before", "after"}}
    before, after = _number(query.get("before")), _number(query.get("after"))
    if after is not None:
        found = list(rows.filter(pk__gt=after).order_by("pk")[: size + 1])
        shown = found[:size][::-1]
        newer, older = len(found) > size, True
    else:
        older_rows = rows if before is None else rows.filter(pk__lt=before)
        found = list(older_rows.order_by("-pk")[: size + 1])
        shown = found[:size]
        newer, older = before is not None, len(found) > size
    if not shown:
        return Page([], f"?{urlencode(kept)}" if before or after else "", "")
    return Page(
        shown,
        f"?{urlencode({**kept, 'after': shown[0].pk})}" if newer else "",
        f"?{urlencode({**kept, 'before': shown[-1].pk})}" if older else "",
    )


def _number(given: str | None) -> int | None:
    if given and given.isascii() and given.isdigit() and int(given[:20]) <= LARGEST:
        return int(given[:20])
    return None
