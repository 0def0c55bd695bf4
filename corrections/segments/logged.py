"""How what happens to segments and pattern sets reads in the audit log, and where their pages are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from incidents import telling

if TYPE_CHECKING:
    from collections.abc import Callable

NOUNS = {"segment": "Segment", "pattern_set": "Pattern set"}
WORDS = {
    "created": ("begun", "plus", "info"),
    "edited": ("edited", "note", "info"),
    "imported": ("changed: a new version", "download", "accent"),
    "exported": ("taken out", "download", "warn"),
    "retired": ("retired", "slash", "warn"),
}


def register() -> None:
    """Tell the floors below."""
    for noun, name in NOUNS.items():
        for verb, (what, icon, tone) in WORDS.items():
            telling.register(f"{noun}.{verb}", f"{name} {what}", icon, tone)
    telling.register("segment.merged", "Segment packed anew, with the same subjects", "loop", "neutral")
    telling.register_address("segments.segment", _address("segment"))
    telling.register_address("segments.patternset", _address("pattern_set"))


def _address(page: str) -> Callable[[int], str]:
    return lambda pk: reverse(f"segments:{page}", args=[pk])
