"""What waits for one person. Each floor registers what it may be waiting for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from irapp.accounts.models import User

    Source = Callable[[User], Iterable["InboxItem"]]

CAP = 100
"""A source gives at most this many; more of them are not read by anybody."""


@dataclass(frozen=True)
class InboxItem:
    """Something that waits for the reader.

    :param kind: what is asked for, in a word or two: "Decision", "Task".
    :param urgency: 0 first; 1 where a deadline counts, 2 otherwise.
    """

    kind: str
    title: str
    detail: str
    url: str
    due_at: datetime | None = None
    urgency: int = 2
    incident_reference: str = ""


_sources: list[Source] = []


def register(source: Source) -> None:
    """Let ``source`` add items for a person; called from ``AppConfig.ready``."""
    if source not in _sources:
        _sources.append(source)


def items(user: User) -> list[InboxItem]:
    """Everything that waits for this person, the most urgent first, then by deadline."""
    found = [item for source in _sources for item in source(user)]
    return sorted(found, key=_order)


def count(user: User) -> int:
    """How many things wait for this person."""
    return sum(1 for source in _sources for _ in source(user))


def _order(item: InboxItem) -> tuple[int, bool, float]:
    return item.urgency, item.due_at is None, item.due_at.timestamp() if item.due_at else 0.0
