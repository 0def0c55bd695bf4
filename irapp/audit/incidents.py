"""What the log must know of incidents, which stand on a higher floor and register themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from irapp.accounts.models import User


@dataclass(frozen=True)
class Incidents:
    """Answers about incidents.

    :param visible: the ids that somebody may see, as a subquery.
    :param find: the id behind a reference as people type it, or None.
    :param name: the reference of an id.
    :param address: the page of an id.
    """

    visible: Callable[[User], QuerySet[Any, Any]]
    find: Callable[[str], int | None]
    name: Callable[[int], str]
    address: Callable[[int], str]


_known: list[Incidents] = []


def use(known: Incidents) -> None:
    """Name who answers; called from ``AppConfig.ready``."""
    _known[:] = [known]


def visible_ids(user: User) -> QuerySet[Any, Any] | Iterable[int]:
    """Give the incidents whose events somebody may read."""
    return _known[0].visible(user) if _known else []


def find(reference: str) -> int | None:
    """Give the id behind a reference."""
    return _known[0].find(reference) if _known else None


def named(incident_id: int | None) -> tuple[str, str]:
    """Give reference and address, or two empty strings."""
    if incident_id is None or not _known:
        return "", ""
    return _known[0].name(incident_id), _known[0].address(incident_id)
