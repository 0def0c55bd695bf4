"""The chart of what a correction did: geometry for the template, words and a table for whoever hears it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.utils import timezone

from corrections.models import Outcome
from corrections.panels import cells
from corrections.publishing.missed import attributes
from corrections.selectors.decision_log import WINDOWS, Column, examples, series

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from corrections.models import Correction, TrafficMatch
    from corrections.selectors.decision_log import Series

WIDTH: Final = 600
HEIGHT: Final = 100
KINDS: Final = (
    ("refused", "Refused"),
    ("shadow", "Would be refused"),
    ("warned", "Warned"),
    ("flagged", "Flagged"),
)
TABS: Final = {"hour": "Last hour", "day": "Last day", "life": "Whole life"}
LABELS: Final = 4
_NICE: Final = (1, 2, 5, 10)


@dataclass(frozen=True)
class Part:
    """A piece of one column: where it stands and what it says."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Figure:
    """A number with its name; ``kind`` is its mark in the chart."""

    kind: str
    label: str
    value: int


@dataclass(frozen=True)
class Example:
    """One request, by its attributes."""

    at: datetime
    outcome: str
    who: str
    what: str
    where: str


@dataclass(frozen=True)
class Chart:
    """Everything that the template prints."""

    window: str
    tabs: list[dict[str, object]]
    url: str
    summary: str
    figures: list[Figure]
    parts: list[Part]
    users: str
    organisations: str
    most: int
    most_people: int
    labels: list[str]
    rows: list[tuple[str, Column]]
    kinds: list[tuple[str, str]]
    examples: list[Example]
    dry_run: bool

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.parts


def chart(correction: Correction, window: str) -> Chart:
    """Draw the last hour, the last day or the whole life of a correction."""
    window = window if window in WINDOWS else "day"
    found = series(correction, window, now=timezone.now())
    kinds = [each for each in KINDS if getattr(found.total, each[0])] or [_expected(correction)]
    most = _round_up(max(_touched(each) for each in found.columns))
    people = _round_up(max(each.users for each in found.columns))
    return Chart(
        window=window,
        tabs=_tabs(window),
        url="?" + urlencode({"window": window, "part": "log"}),
        summary=_summary(found, kinds),
        figures=_figures(found.total, kinds),
        parts=list(_parts(found, most)),
        users=_line([each.users for each in found.columns], people),
        organisations=_line([each.organisations for each in found.columns], people),
        most=most,
        most_people=people,
        labels=_labels(found),
        rows=[(_moment(each.at, found), each) for each in reversed(found.columns) if _touched(each)],
        kinds=kinds,
        examples=_examples(correction),
        dry_run=correction.mode == "shadow",
    )


def shown(match: TrafficMatch) -> Example:
    """Put one request into words."""
    said = attributes(match)
    what = f"{said['endpoint']} of {said['model']}"
    offered = f", offering {', '.join(said['tools'])}" if said["tools"] else ""
    where = f"{said['gateway']}, answered {said['status']}"
    decided = f" by policy {said['policy']}" if said["policy"] else ""
    purpose = said["use_case"] or "no use declared"
    who = f"{said['user']} of {said['organisation']} ({said['application']}, {purpose})"
    return Example(match.at, Outcome(match.outcome).label, who, what + offered, where + decided)


def missed(correction: Correction) -> list[Example]:
    """Give the latest requests that it should have refused and that were let through."""
    return [replace(shown(match), outcome="") for match in examples(correction, Outcome.MISSED)]


def _examples(correction: Correction) -> list[Example]:
    found = examples(correction, Outcome.REFUSED, Outcome.SHADOW, Outcome.WARNED, Outcome.FLAGGED)
    return [shown(match) for match in found]


def _expected(correction: Correction) -> tuple[str, str]:
    """What it would do, where it has done nothing yet."""
    return KINDS[1] if correction.mode == "shadow" else KINDS[0]


def _tabs(window: str) -> list[dict[str, object]]:
    return [
        {"label": label, "url": f"?window={name}#log", "current": name == window, "count": None}
        for name, label in TABS.items()
    ]


def _figures(total: Column, kinds: list[tuple[str, str]]) -> list[Figure]:
    counted = [Figure(name, label, getattr(total, name)) for name, label in kinds]
    touched = [
        Figure("users", "Users touched", total.users),
        Figure("organisations", "Organisations touched", total.organisations),
    ]
    return [*counted, *touched]


def _touched(column: Column) -> int:
    return column.refused + column.shadow + column.warned + column.flagged


def _parts(found: Series, most: int) -> Iterator[Part]:
    """Stack what happened in each column, what was refused at the bottom."""
    step = WIDTH / len(found.columns)
    for place, column in enumerate(found.columns):
        top = float(HEIGHT)
        for name, label in KINDS:
            value = getattr(column, name)
            if value:
                height = max(value / most * HEIGHT, 0.8)
                top -= height
                title = f"{_moment(column.at, found)}: {label.lower()} {value}"
                x, width = round(place * step + step * 0.1, 2), round(step * 0.8, 2)
                yield Part(name, x, round(max(top, 0), 2), width, round(height, 2), title)


def _line(values: list[int], most: int) -> str:
    """Give the points of a line, in the middle of each column."""
    step = WIDTH / len(values)
    points = ((place + 0.5, HEIGHT - value / most * HEIGHT) for place, value in enumerate(values))
    return " ".join(f"{x * step:.1f},{y:.1f}" for x, y in points)


def _round_up(value: int) -> int:
    """Give the top of a scale: 1, 2 or 5 times a power of ten."""
    power = 1
    while value > power * 10:
        power *= 10
    return next(step * power for step in _NICE if step * power >= value)


def _labels(found: Series) -> list[str]:
    step = (found.until - found.since) / LABELS
    return [_moment(found.since + step * number, found) for number in range(LABELS + 1)]


def _moment(at: datetime, found: Series) -> str:
    if found.until - found.since > timedelta(days=60):
        return f"{at:%d %b %Y}"
    return f"{at:%d %b %H:%M}" if found.until - found.since > timedelta(hours=25) else f"{at:%H:%M}"


def _summary(found: Series, kinds: list[tuple[str, str]]) -> str:
    total = found.total
    said = ", ".join(f"{label.lower()} {getattr(total, name)}" for name, label in kinds)
    people = f"{cells.count(total.users, 'user')} of {cells.count(total.organisations, 'organisation')}"
    return f"From {found.since:%d %b %H:%M} to {found.until:%d %b %H:%M} UTC: {said}; {people} touched."
