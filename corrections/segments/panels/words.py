"""Small things that every page of these lists needs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

from irapp.common.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def allowed(rule: Callable[..., None], *args: object) -> bool:
    """Ask the rule that the action asks."""
    try:
        rule(*args)
    except DomainError:
        return False
    return True


def tabs(current: str) -> list[dict[str, object]]:
    """Lead from segments to pattern sets and back."""
    places = (("Segments", "segments:list"), ("Pattern sets", "segments:patterns"))
    return [
        {"label": label, "url": reverse(name), "current": name == current, "count": None}
        for label, name in places
    ]


def asked(query: Mapping[str, str], **changes: object) -> str:
    """Give the query with some of its values changed."""
    kept = {name: value for name, value in {**query, **changes}.items() if value not in ("", None)}
    return "?" + urlencode(kept)
