"""Which hints a person may hear. A hint carries ids only, but that something stirs can be telling too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model

    from irapp.accounts.models import User
    from irapp.audit.models import Event

OPEN = frozenset({"queue", "inbox", "audit", "gateways", "alarms"})
"""Topics about the whole house: whoever is signed in may hear that something moved."""

MOST = 50
MOST_DIGITS = 18
"""What a bigint holds in any case."""
_kinds: dict[str, type[Model]] = {}


def register(*models: type[Model]) -> None:
    """Tell of ``<model name>:<id>`` to whom the record is visible; called from ``AppConfig.ready``.

    Each model's manager has ``visible_to(user)``. Kinds that nobody registered are never told.
    """
    _kinds.update({model.__name__.lower(): model for model in models})


def heard_by(user: User, asked: Iterable[str]) -> frozenset[str]:
    """Give those of the topics that this person may hear."""
    return frozenset(topic for topic in list(asked)[:MOST] if topic in OPEN or _may_hear(user, topic))


def of_event(event: Event) -> list[str]:
    """Give the topics under which an event was told when it happened."""
    topics = [f"{event.target_type.rpartition('.')[2]}:{event.target_id}", "audit"]
    if event.incident_id:
        topics.append(f"incident:{event.incident_id}")
    return list(dict.fromkeys(topics))


def _may_hear(user: User, topic: str) -> bool:
    kind, _, number = topic.partition(":")
    if kind not in _kinds or not number.isdecimal() or len(number) > MOST_DIGITS:
        return False
    return bool(_kinds[kind].objects.visible_to(user).filter(pk=int(number)).exists())  # type: ignore[attr-defined]
