"""Writing down what became of a message: on the endpoint's gateway, and in the list of deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from corrections.models import Acknowledgement, Gateway
from corrections.webhooks.models import Delivery, Endpoint
from irapp.audit.record import hint, record

if TYPE_CHECKING:
    from datetime import datetime

    from enforcement.report import PolicyRef

KEPT = 200
"""Deliveries that are kept of each endpoint."""


@dataclass(frozen=True)
class Outcome:
    """How one attempt went: an error, or nothing wrong. ``held`` is known wherever the receiver said it."""

    message: str
    event: str
    version: int | None
    at: datetime
    took_ms: int
    status: int | None = None
    held: PolicyRef | None = None
    error: str = ""
    gone: bool = False


@transaction.atomic
def note(endpoint: Endpoint, outcome: Outcome, *, quietly: bool = False) -> None:
    """Keep an outcome.

    :param quietly: keep a row only where it says something new; for questions that are asked for ever.
    """
    kept = Endpoint.objects.select_for_update(of=("self",)).get(pk=endpoint.pk)
    if kept.removed_at is not None:
        return  # while the message was under way: its gateway is retired and stays so
    gateway = Gateway.objects.select_for_update(of=("self",), no_key=True).get(pk=endpoint.gateway_id)
    before = (gateway.live, gateway.error, gateway.policy_version, gateway.policy_digest)
    _note_gateway(gateway, outcome)
    news = before != (gateway.live, gateway.error, gateway.policy_version, gateway.policy_digest)
    if outcome.held is not None and before[2:] != (gateway.policy_version, gateway.policy_digest):
        _note_acknowledgement(gateway, outcome.held, at=outcome.at)
    _note_episode(kept, outcome)
    if news or not quietly:
        _keep(endpoint, outcome)
        hint("gateways")


def _note_gateway(gateway: Gateway, outcome: Outcome) -> None:
    gateway.live, gateway.error = not outcome.error, outcome.error[:500]
    if outcome.status is not None and not outcome.error:
        gateway.seen_at = outcome.at
    if outcome.held is not None or not outcome.error:
        gateway.policy_version = outcome.held.version if outcome.held else None
        gateway.policy_digest = outcome.held.digest[:71] if outcome.held else ""
    gateway.save()


def _note_acknowledgement(gateway: Gateway, held: PolicyRef, *, at: datetime) -> None:
    Acknowledgement.objects.create(gateway=gateway, version=held.version, digest=held.digest[:71], at=at)


def _note_episode(kept: Endpoint, outcome: Outcome) -> None:
    """An event marks where failing begins and where it ends; a receiver that is gone is left alone."""
    if outcome.error and kept.failing_since is None:
        kept.failing_since = outcome.at
        record("webhook.failing", kept, by=None, error=outcome.error[:500])
    elif not outcome.error and kept.failing_since is not None:
        kept.failing_since = None
        record("webhook.recovered", kept, by=None)
    if outcome.gone and kept.paused_at is None:
        kept.paused_at, kept.paused_because = outcome.at, "It answered 410 Gone."
        record("webhook.paused", kept, by=None, reason=kept.paused_because)
    kept.save(update_fields=["failing_since", "paused_at", "paused_because"])


def _keep(endpoint: Endpoint, outcome: Outcome) -> None:
    Delivery.objects.create(
        endpoint=endpoint,
        message=outcome.message,
        event=outcome.event,
        version=outcome.version,
        at=outcome.at,
        took_ms=outcome.took_ms,
        status=outcome.status,
        error=outcome.error[:2000],
    )
    last = endpoint.deliveries.values_list("pk", flat=True)[KEPT : KEPT + 1].first()
    if last is not None:
        endpoint.deliveries.filter(pk__lte=last).delete()
