"""A correction in the words of a tired reader: one sentence says what, to whom, where and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrections.panels.effects import effect
from corrections.panels.kinds import CLASS_OF, CLASSES, KIND_LABELS, ClassWords
from corrections.panels.phrases import duration, on_models, utc, where, who

if TYPE_CHECKING:
    from corrections.terms import Terms

__all__ = [
    "CLASSES",
    "CLASS_OF",
    "KIND_LABELS",
    "ClassWords",
    "duration",
    "on_models",
    "sentence",
    "summary",
    "utc",
    "where",
    "who",
]
ALL = 100


def sentence(terms: Terms) -> str:
    """Say what the correction does, to whom, on what and until when."""
    return f"{summary(terms)}{_when(terms)}."


def summary(terms: Terms) -> str:
    """Say what it does, to whom and on what; where the times stand beside it."""
    said = f"{effect(terms)}{_share(terms)}{_running(terms)}"
    if terms.mode == "shadow":
        return f"Dry run, nothing is refused: {said[:1].lower()}{said[1:]}"
    return said


def _share(terms: Terms) -> str:
    return "" if terms.percentage == ALL else f", for {terms.percentage} % of users"


def _running(terms: Terms) -> str:
    """A halt says so itself."""
    cut = terms.running_streams == "end" and terms.kind != "halt"
    return ", and running answers are cut off" if cut else ""


def _when(terms: Terms) -> str:
    start = f", from {utc(terms.starts_at)}" if terms.starts_at else ""
    grace = f", with only a warning until {utc(terms.grace_until)}" if terms.grace_until else ""
    if terms.expires_at is None:
        return f"{start}{grace}, until it is lifted"
    after = "then lifts by itself" if terms.at_expiry == "lift" else "then held until somebody lifts it"
    return f"{start}{grace}, until {utc(terms.expires_at)}, {after}"
