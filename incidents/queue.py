"""The queue: what other floors add to it, and its tabs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from irapp.accounts.models import User

    Rows = Callable[[User], Sequence["Row"]]
    IncidentIds = Callable[[], models.QuerySet[models.Model, object]]

CAP = 99
"""Counts stop here: “99+” says as much as the exact number, and costs the same for a million rows."""


class Tab(models.TextChoices):
    """How the queue is cut."""

    MINE = "mine", "Needs me"
    DECISION = "decision", "Needs a decision"
    PROGRESS = "progress", "In progress"
    WAITING = "waiting", "Waiting to start"
    ALL = "all", "All open"


@dataclass(frozen=True)
class Row:
    """One thing in the queue.

    :param since: since when it stands as it does; the row ages from there.
    :param old: it has stood longer than its severity allows.
    """

    reference: str
    title: str
    url: str
    since: datetime
    severity: str = ""
    state: str = ""
    state_label: str = ""
    detail: str = ""
    who: str = ""
    model_name: str = ""
    old: bool = False
    emergency: bool = False
    restricted: bool = False


@dataclass(frozen=True)
class Source:
    """Rows from another floor, shown above the incidents in the tabs they belong to."""

    name: str
    heading: str
    tabs: tuple[str, ...]
    rows: Rows


_sources: dict[str, Source] = {}
_awaiting: list[IncidentIds] = []


def register(name: str, heading: str, tabs: tuple[str, ...], rows: Rows) -> None:
    """Add rows to the queue; called from ``AppConfig.ready``.

    :param rows: called once per page with the reader; one query, at most ``CAP`` rows, the oldest first.
    """
    _sources[name] = Source(name, heading, tabs, rows)


def register_awaiting_decision(incident_ids: IncidentIds) -> None:
    """Say which incidents wait for a decision: a queryset of incident keys, used as a subquery."""
    if incident_ids not in _awaiting:
        _awaiting.append(incident_ids)


def sources() -> list[Source]:
    """Everybody who adds rows, in the order of registration."""
    return list(_sources.values())


def awaiting_decision() -> list[models.QuerySet[models.Model, object]]:
    """Give the subqueries of incidents that wait for a decision."""
    return [incident_ids() for incident_ids in _awaiting]
