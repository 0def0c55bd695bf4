"""Handing the policy to every hub, and reading back what gateways make of it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from corrections.models import Correction, Hub, PolicyVersion
from corrections.publishing import hubs
from corrections.publishing.client import HubClient, HubConflictError, HubError, MissingAttachmentsError
from corrections.publishing.evaluate import evaluate
from corrections.publishing.reports import take_in
from corrections.segments import contents
from corrections.states import State
from enforcement import policy
from enforcement.report import PolicyRef

if TYPE_CHECKING:
    from collections.abc import Iterable

READ_BACK = timedelta(seconds=5)
"""How long a delivery follows its policy; whatever takes longer is seen by the next reconciliation."""


class DeliveryError(Exception):
    """At least one hub does not hold the newest policy; it has to be tried again."""


def deliver() -> None:
    """Hand the newest policy to every hub, then follow it to the gateways.

    Safe to repeat: the hubs know a policy they hold already, and refuse an older one.

    :raises DeliveryError: naming the hubs that do not hold it.
    """
    newest = PolicyVersion.objects.first()
    if newest is None:
        return
    if not settings.ENFORCEMENT_URLS:
        raise DeliveryError("ENFORCEMENT_URLS names no enforcement service.")
    problems = [problem for url in settings.ENFORCEMENT_URLS if (problem := hand_over(url, newest))]
    if len(problems) < len(settings.ENFORCEMENT_URLS):
        read_back(newest)
    if problems:
        raise DeliveryError("; ".join(problems))


def hand_over(url: str, newest: PolicyVersion) -> str:
    """Give one hub the policy; tell why it does not hold it, if so."""
    client = HubClient(url)
    try:
        _put(client, bytes(newest.raw))
    except HubConflictError as conflict:
        return _settled_by_newer(client, newest, str(conflict))
    except (HubError, contents.NotStoredError) as error:
        hubs.note_error(url, str(error), now=timezone.now())
        return str(error)
    hubs.note_policy(url, PolicyRef(version=newest.version, digest=newest.digest), now=timezone.now())
    return ""


def bring(digests: Iterable[str]) -> None:
    """Bring attachments to every hub before a policy names them, so that a decision need not wait for them.

    Each hub forgets after a day what no policy names, and then asks again.

    :raises DeliveryError: naming the hubs that were not reached.
    """
    wanted = list(digests)
    problems = [problem for url in settings.ENFORCEMENT_URLS if (problem := _brought(HubClient(url), wanted))]
    if problems:
        raise DeliveryError("; ".join(problems))


def _put(client: HubClient, raw: bytes) -> None:
    """Hand over a policy; what it names and the hub has not got is brought first."""
    try:
        client.put_policy(raw)
    except MissingAttachmentsError as error:
        named = policy.attachments(policy.parse(raw, policy.Policy).content)
        for digest in named.intersection(error.missing):
            client.put_attachment(digest, contents.raw(digest))
        client.put_policy(raw)


def _brought(client: HubClient, digests: Iterable[str]) -> str:
    try:
        for digest in digests:
            if not client.has_attachment(digest):
                client.put_attachment(digest, contents.raw(digest))
    except HubError as error:
        return str(error)
    return ""


def read_back(newest: PolicyVersion) -> None:
    """Ask the hubs for news until everything decided is shown, or the time for it is over."""
    clients = [HubClient(url) for url in settings.ENFORCEMENT_URLS]
    give_up = time.monotonic() + READ_BACK.total_seconds()
    while _awaited(newest) and time.monotonic() < give_up:
        heard = [fetch(client, wait=1) for client in clients]
        if not any(heard):
            return
        evaluate(now=timezone.now())


def fetch(client: HubClient, *, wait: int = 0) -> bool:
    """Take in what one hub knows; tell whether it answered."""
    try:
        status = client.status(wait=wait)
    except HubError as error:
        hubs.note_error(client.url, str(error), now=timezone.now())
        return False
    if status is not None:
        now = timezone.now()
        hubs.note_policy(client.url, status.policy, now=now)
        take_in(status, now=now)
    return True


def _awaited(newest: PolicyVersion) -> bool:
    """Whether a gateway still has to show something; not once a later policy has its own delivery."""
    if PolicyVersion.objects.filter(version__gt=newest.version).exists():
        return False
    now = timezone.now()
    waiting = Correction.objects.filter(state__in=[State.ENFORCING, State.LIFTING], execute_by__gt=now)
    return bool(waiting.exclude(starts_at__gt=now).exists())


def _settled_by_newer(client: HubClient, newest: PolicyVersion, conflict: str) -> str:
    """A hub that holds a newer policy of ours is ahead of this delivery: fine. Anything else is not."""
    if not fetch(client):
        return conflict
    hub = Hub.objects.get(url=client.url)
    ahead = hub.conflict_at is None and (hub.policy_version or 0) >= newest.version
    return "" if ahead else conflict
