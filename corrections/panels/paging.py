"""Keyset pages, newest first: the next page costs what the first one did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

SIZE = 25
_MOST = 2**63 - 1


@dataclass(frozen=True)
class Page:
    """Some rows, and where the newer and the older ones are."""

    rows: list[Any]
    newer_url: str
    older_url: str


def page(rows: QuerySet[Any], query: Mapping[str, str]) -> Page:
    """Cut the page that ``?before=`` or ``?after=`` (an id) asks for."""
    kept = {name: value for name, value in query.items() if value and name not in {"before", "after", "part"}}
    before, after = _id(query.get("before")), _id(query.get("after"))
    if after:
        found = list(rows.filter(pk__gt=after).order_by("pk")[: SIZE + 1])
        shown = found[:SIZE][::-1]
        return Page(
            shown, _url(kept, "after", shown[:1], len(found) > SIZE), _url(kept, "before", shown[-1:], True)
        )
    found = list((rows.filter(pk__lt=before) if before else rows).order_by("-pk")[: SIZE + 1])
    shown = found[:SIZE]
    return Page(
        shown,
        _url(kept, "after", shown[:1], bool(before)),
        _url(kept, "before", shown[-1:], len(found) > SIZE),
    )


def _id(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and int(value) <= _MOST else None


def _url(kept: Mapping[str, str], name: str, edge: list[Any], wanted: bool) -> str:  # noqa: FBT001
    return "?" + urlencode({**kept, name: edge[0].pk}) if wanted and edge else ""
