"""Carry out what is owed to the outside: after the commit, at least once, by one process at a time.

The row is the truth. Whoever works on it holds its lease; a message between processes carries the item and
the lease, and is worth nothing once somebody else has taken the lease over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from django.utils import timezone

from irapp.audit import leases
from irapp.audit.models import OutboxItem

Run = Callable[[dict[str, Any], int], None]
log = structlog.get_logger("irapp.outbox")


@dataclass(frozen=True)
class Handler:
    """How one kind of effect is carried out, and how much patience it deserves."""

    run: Run
    within: int
    attempts: int


class UnknownHandlerError(LookupError):
    """Nobody here carries out this effect; a newer release may, so it is tried again."""


_handlers: dict[str, Handler] = {}


def handles(name: str, *, within: int = 20, attempts: int = 20) -> Callable[[Run], Run]:
    """Register a function for an effect. It gets the payload and the item's id, and raises to be tried again.

    :param within: seconds after which one attempt counts as lost, and the next may begin.
    :param attempts: how often it is tried before people are told.
    """

    def register(run: Run) -> Run:
        _handlers[name] = Handler(run, within, attempts)
        return run

    return register


def patience(name: str) -> int:
    """Give the seconds one attempt may take."""
    return _handlers[name].within if name in _handlers else DEFAULT.within


def carry_out(item_id: int, lease: UUID) -> None:
    """Make one attempt, if the lease still stands.

    Called twice for the same lease, as messages may be delivered, the second call does nothing.
    """
    item = leases.begin(item_id, lease, now=timezone.now(), patience=patience)
    if item is None:
        log.info("outbox.passed_over", item=item_id)
        return
    handler = _handlers.get(item.handler, DEFAULT)
    if item.attempts > handler.attempts:
        # Every attempt ended the process that made it, or this would have been noted earlier.
        _give_up(item, "no attempt came to an end")
        return
    _attempt(item, handler)


def _attempt(item: OutboxItem, handler: Handler) -> None:
    started = time.monotonic()
    try:
        handler.run(item.payload, item.pk)
    except Exception as error:  # noqa: BLE001 (whatever goes wrong in an effect, it stays owed)
        _failed(item, handler, error)
        return
    own = leases.finish(item, now=timezone.now())
    log.info(
        "outbox.delivered" if own else "outbox.lease_lost",
        **_facts(item),
        took_ms=round((time.monotonic() - started) * 1000),
        age_ms=round((timezone.now() - item.created_at).total_seconds() * 1000),
    )


def _failed(item: OutboxItem, handler: Handler, error: Exception) -> None:
    reason = f"{type(error).__name__}: {error}"
    if item.attempts >= handler.attempts:
        _give_up(item, reason)
        return
    due_at = leases.put_off(item, reason, now=timezone.now())
    log.warning("outbox.failed", **_facts(item), error=reason, due_at=due_at.isoformat())


def _give_up(item: OutboxItem, reason: str) -> None:
    if leases.bury(item, reason, now=timezone.now()):
        log.error("outbox.died", **_facts(item), error=reason)


def _facts(item: OutboxItem) -> dict[str, object]:
    return {"item": item.pk, "handler": item.handler, "key": item.key, "attempt": item.attempts}


def _unknown(_payload: dict[str, Any], item_id: int) -> None:
    raise UnknownHandlerError(f"no handler is registered for item {item_id}")


DEFAULT = Handler(_unknown, within=20, attempts=20)
