"""Write what happened and what is owed, in the caller's transaction or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from django.db import connection

from irapp.audit.models import Event, OutboxItem

if TYPE_CHECKING:
    from irapp.accounts.models import User

SYSTEM = "irapp"
"""The name events carry when nobody pressed a button: a clock, a gateway, a sweep."""


class Target(Protocol):
    """A record that events can be about: a saved model with ``incident_id`` (None where it has none)."""

    pk: Any

    @property
    def incident_id(self) -> int | None: ...


def record(verb: str, target: Target, *, by: User | None, **data: object) -> Event:
    """Append an event and hint every page that shows the target.

    :param verb: ``noun.past_participle``, for example ``correction.proposed``.
    :param by: who did it; None where the system acted by itself.
    :raises RuntimeError: outside a transaction, where the event could survive without the change.
    """
    _inside_a_transaction()
    meta = target._meta  # type: ignore[attr-defined]  # noqa: SLF001 (Django's public name)
    event = Event.objects.create(
        verb=verb,
        target_type=meta.label_lower,
        target_id=target.pk,
        target_name=str(target)[:250],
        incident_id=target.incident_id,
        actor_id=by.pk if by else None,
        actor_name=str(by) if by else SYSTEM,
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
        data=data,
    )
    topics = [f"{meta.model_name}:{target.pk}", "audit"]
    if target.incident_id:
        topics.append(f"incident:{target.incident_id}")
    hint(*dict.fromkeys(topics), event_id=event.pk)
    return event


def owe(handler: str, *, key: str, payload: dict[str, object], event: Event | None = None) -> OutboxItem:
    """Owe an effect to the outside; it is carried out after the commit, at least once.

    :param handler: a name registered with :func:`irapp.audit.outbox.handles`.
    """
    _inside_a_transaction()
    item = OutboxItem.objects.create(
        handler=handler, key=key, payload=payload, event_id=event.pk if event else None
    )
    _notify("outbox", str(item.pk))
    return item


def hint(*topics: str, event_id: int | None = None) -> None:
    """Tell open pages, once the transaction commits, that something they show has changed."""
    _notify("live", json.dumps({"topics": topics, "id": event_id}))


def _notify(channel: str, payload: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, payload])


def _inside_a_transaction() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("an event must commit with the change it records")
