"""Sending policies to endpoints: by the outbox, after the commit; asking afterwards what they hold."""

from __future__ import annotations

import time
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils import timezone

from corrections.models import PolicyVersion
from corrections.publishing.evaluate import evaluate
from corrections.webhooks import answers, messages, sending
from corrections.webhooks.models import Endpoint, Secret
from corrections.webhooks.noting import Outcome, note
from corrections.webhooks.sealing import SealError, unseal
from enforcement.report import PolicyRef
from irapp.audit.models import OutboxItem
from irapp.audit.outbox import handles
from irapp.audit.record import owe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from irapp.audit.models import Event

HANDLER = "webhook.deliver"
_LOCK = 0x1_7A9


class DeliveryError(Exception):
    """The endpoint has not acknowledged; it has to be tried again."""


def owe_to_all(version: PolicyVersion, event: Event) -> None:
    """Owe a new policy to every endpoint, in the transaction that publishes it."""
    for endpoint in Endpoint.objects.sending():
        owe_to(endpoint, version, event=event)


def owe_to(endpoint: Endpoint, version: PolicyVersion, *, event: Event | None = None) -> None:
    """Owe the policy to one endpoint."""
    payload: dict[str, object] = {"endpoint": endpoint.pk, "version": version.version}
    owe(HANDLER, key=f"{endpoint} {version}"[:120], payload=payload, event=event)


@handles(HANDLER, within=25, attempts=12)
def deliver(payload: dict[str, Any], item_id: int) -> None:
    """Send the newest policy, which may be newer than the one that was owed. Safe to repeat.

    After the last attempt the endpoint is still asked what it holds, and sent to again once it answers.

    :raises DeliveryError: it has not acknowledged.
    """
    endpoint = Endpoint.objects.sending().filter(pk=payload["endpoint"]).first()
    newest = PolicyVersion.objects.first()
    if endpoint is None or newest is None:
        return
    with alone(endpoint) as free:
        if not free:
            raise DeliveryError("Another message to it is under way.")
        outcome = send_policy(endpoint, newest, message=f"msg_{item_id}")
    if outcome.error:
        raise DeliveryError(outcome.error)


def send_policy(endpoint: Endpoint, newest: PolicyVersion, *, message: str) -> Outcome:
    """Send one policy once, and note what came of it."""
    body = messages.published(endpoint, newest, now=timezone.now())
    outcome = _exchange(endpoint, message, messages.PUBLISHED, newest, body)
    note(endpoint, outcome)
    evaluate(now=timezone.now())
    return outcome


def ask(endpoint: Endpoint, *, quietly: bool) -> Outcome:
    """Ask which policy it holds; where that is not the newest, that one is owed to it again."""
    now = timezone.now()
    newest = PolicyVersion.objects.first()
    message = f"ping_{endpoint.pk}_{int(now.timestamp() * 1000)}"
    outcome = _exchange(endpoint, message, messages.PING, newest, messages.ping(newest, now=now))
    note(endpoint, outcome, quietly=quietly)
    return outcome


def behind(outcome: Outcome) -> PolicyVersion | None:
    """Give the policy that should be sent again after an answer, if any."""
    newest = PolicyVersion.objects.first()
    if outcome.error or newest is None:
        return None
    held = outcome.held
    fine = held is not None and (held.version, held.digest) == (newest.version, newest.digest)
    return None if fine else newest


def is_owed(endpoint: Endpoint) -> bool:
    """Tell whether a delivery is under way or waits for its next attempt."""
    owed = OutboxItem.objects.filter(handler=HANDLER, done_at=None, dead_at=None)
    return owed.filter(payload__endpoint=endpoint.pk).exists()


def _exchange(
    endpoint: Endpoint, message: str, event: str, policy: PolicyVersion | None, body: bytes
) -> Outcome:
    at, started = timezone.now(), time.monotonic()
    status, held, error = None, None, ""
    try:
        answer = sending.post(endpoint.url, body, _headers(endpoint, message, body))
        status = answer.status
        held = answers.held(answer)
        if policy is not None and event == messages.PUBLISHED:
            answers.check_acknowledged(held, PolicyRef(version=policy.version, digest=policy.digest))
    except (sending.SendError, answers.AnswerError, SealError) as caught:
        error = str(caught).replace("\0", "\ufffd")  # PostgreSQL stores every character but one
    return Outcome(
        message=message,
        event=event,
        version=policy.version if policy else None,
        at=at,
        took_ms=round((time.monotonic() - started) * 1000),
        status=status,
        held=held,
        error=error,
        gone=status == HTTPStatus.GONE,
    )


def _headers(endpoint: Endpoint, message: str, body: bytes) -> dict[str, str]:
    now = timezone.now()
    sealed = Secret.objects.filter(endpoint=endpoint).current(now=now).values_list("sealed", flat=True)
    return messages.headers(message, body, secrets=[unseal(each) for each in sealed], now=now)


@contextmanager
def alone(endpoint: Endpoint) -> Iterator[bool]:
    """One message at a time to an endpoint, so that no older answer is noted after a newer one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK, endpoint.pk])
        free = bool(cursor.fetchone()[0])
    try:
        yield free
    finally:
        if free:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK, endpoint.pk])
