"""What each enforcement service holds, as last heard, with an alarm where it is not ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from corrections.models import Hub, PolicyVersion
from irapp.audit.record import hint, record

if TYPE_CHECKING:
    from datetime import datetime

    from enforcement.report import PolicyRef


@transaction.atomic
def note_policy(url: str, held: PolicyRef | None, *, now: datetime) -> Hub:
    """Write down what a hub holds."""
    hub = _locked(url)
    before = (hub.policy_version, hub.policy_digest, hub.error)
    hub.policy_version = held.version if held else None
    hub.policy_digest = held.digest if held else ""
    hub.seen_at, hub.error, hub.error_since = now, "", None
    _judge(hub, held, now=now)
    hub.save()
    if before != (hub.policy_version, hub.policy_digest, hub.error):
        hint("gateways")
    return hub


@transaction.atomic
def note_error(url: str, error: str, *, now: datetime) -> None:
    """Write down that a hub did not answer as it should; an event marks the beginning of the episode."""
    hub = _locked(url)
    if hub.error_since is None:
        hub.error_since = now
        record("hub.failing", hub, by=None, error=error)
    if hub.error != error:
        hub.error = error
        hint("gateways")
    hub.save()


def _judge(hub: Hub, held: PolicyRef | None, *, now: datetime) -> None:
    """Alarm where the policy was never published here: somebody else holds our key, or data was lost."""
    ours = held is None or PolicyVersion.objects.filter(version=held.version, digest=held.digest).exists()
    if ours:
        hub.conflict_at = None
    elif hub.conflict_at is None and held is not None:
        hub.conflict_at = now
        record("policy.conflict", hub, by=None, version=held.version, digest=held.digest)


def _locked(url: str) -> Hub:
    Hub.objects.get_or_create(url=url)
    return Hub.objects.select_for_update().get(url=url)
