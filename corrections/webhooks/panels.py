"""What the pages of webhooks print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils import timezone

from corrections.models import PolicyVersion
from corrections.panels.asking import why_not
from corrections.webhooks import policies
from corrections.webhooks.models import Delivery, Endpoint, Secret

if TYPE_CHECKING:
    from datetime import datetime

    from irapp.accounts.models import User

SHOWN = 20


@dataclass(frozen=True)
class Row:
    """One endpoint as it stands.

    :param behind: versions between what it acknowledges and the newest policy.
    :param trouble: what an operator should know; empty when all is well.
    """

    endpoint: Endpoint
    state: str
    behind: int
    trouble: str


@dataclass(frozen=True)
class Webhooks:
    """The list."""

    rows: list[Row]
    removed: list[Endpoint]
    cannot_add: str


@dataclass(frozen=True)
class Act:
    """A button, and the reason where it is not for this reader or not now."""

    label: str
    url: str
    why_not: str
    kind: str = ""


@dataclass(frozen=True)
class Detail:
    """One endpoint with what became of its last messages."""

    row: Row
    newest: PolicyVersion | None
    secrets: list[Secret]
    deliveries: list[Delivery]
    acts: list[Act]
    cannot_ping: str
    cannot_change: str


def webhooks(user: User) -> Webhooks:
    """Collect the list for this reader."""
    now, newest = timezone.now(), _newest()
    rows = [_row(each, newest, now=now) for each in Endpoint.objects.kept()]
    removed = Endpoint.objects.exclude(removed_at=None).select_related("gateway")
    return Webhooks(rows, list(removed), why_not(policies.check_can_manage, user))


def detail(endpoint: Endpoint, user: User) -> Detail:
    """Collect the page of one endpoint for this reader."""
    now, newest = timezone.now(), _newest()
    return Detail(
        row=_row(endpoint, newest, now=now),
        newest=newest,
        secrets=list(Secret.objects.filter(endpoint=endpoint).current(now=now).defer("sealed")),
        deliveries=list(Delivery.objects.filter(endpoint=endpoint)[:SHOWN]),
        acts=_acts(endpoint, user),
        cannot_ping=why_not(policies.check_can_ping, endpoint, user),
        cannot_change=why_not(policies.check_can_change, endpoint, user),
    )


def _acts(endpoint: Endpoint, user: User) -> list[Act]:
    paused = endpoint.paused_at is not None
    halt, rule = ("resume", policies.check_can_resume) if paused else ("pause", policies.check_can_pause)
    change = why_not(policies.check_can_change, endpoint, user)
    demand = "Do not wait for it" if endpoint.gateway.required else "Wait for it"
    return [
        Act("Rotate the secret", _url("rotate", endpoint), change),
        Act(halt.capitalize(), _url(halt, endpoint), why_not(rule, endpoint, user)),
        Act(demand, _url("unrequire" if endpoint.gateway.required else "require", endpoint), change),
        Act("Remove", _url("remove", endpoint), change, "danger"),
    ]


def _row(endpoint: Endpoint, newest: PolicyVersion | None, *, now: datetime) -> Row:
    gateway = endpoint.gateway
    behind = max((newest.version if newest else 0) - (gateway.policy_version or 0), 0)
    return Row(endpoint, _state(endpoint, behind, now=now), behind, _trouble(endpoint, now=now))


def _state(endpoint: Endpoint, behind: int, *, now: datetime) -> str:
    if endpoint.removed_at is not None:
        return "REMOVED"
    if endpoint.paused_at is not None:
        return "PAUSED"
    if not endpoint.gateway.live or endpoint.gateway.is_silent(now=now):
        return "SILENT"
    return "STALE" if behind else "LIVE"


def _trouble(endpoint: Endpoint, *, now: datetime) -> str:
    if endpoint.removed_at is not None:
        return ""
    if endpoint.paused_at is not None:
        return f"Nothing is sent to it: {endpoint.paused_because}"
    if endpoint.gateway.error:
        return endpoint.gateway.error
    return "Nothing was heard of it lately." if endpoint.gateway.is_silent(now=now) else ""


def _newest() -> PolicyVersion | None:
    return PolicyVersion.objects.defer("content", "raw").first()


def _url(name: str, endpoint: Endpoint) -> str:
    return reverse(f"webhooks:{name}", args=[endpoint.pk])
