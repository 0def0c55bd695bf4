"""The policy: everything that should be in force, as one signed document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.utils import timezone

from corrections.models import Correction, PolicyVersion
from corrections.publishing.signing import signed_by_us, signing_key
from corrections.states import State
from corrections.terms import Terms
from corrections.validation import spec
from enforcement import policy
from irapp.audit.record import owe, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from irapp.accounts.models import User
    from irapp.audit.models import Event

_LOCK = 0x1_7A9_0001
"""Advisory lock: policies are compiled one after another, so that no decision is left out of the newest."""

_listeners: list[Callable[[PolicyVersion, Event], None]] = []


def on_published(tell: Callable[[PolicyVersion, Event], None]) -> None:
    """Have something else told of every new policy, in the transaction that publishes it."""
    _listeners.append(tell)


def publish(*, by: User | None, now: datetime, above: int = 0) -> PolicyVersion:
    """Give the newest policy, a new one if anything changed; delivery is owed in the same transaction.

    A changed signing key counts as a change: hubs and gateways that trust only the new key need the same
    content signed by it.

    :param above: a version that it has to be newer than.
    """
    _one_at_a_time()
    now = max(now, timezone.now())  # whoever waited must not bring back what has been replaced meanwhile
    content = compiled(now=now)
    digest = policy.digest(content)
    newest = PolicyVersion.objects.first()
    last = newest.version if newest else 0
    if newest and newest.digest == digest and last > above and signed_by_us(bytes(newest.raw)):
        return newest
    version = _store(content, version=max(last, above) + 1, now=now)
    _note_what_is_new(content, newest, version)
    event = record("policy.published", version, by=by, version=version.version, digest=digest)
    owe("policy.deliver", key=str(version), payload={"version": version.version}, event=event)
    for tell in _listeners:
        tell(version, event)
    return version


def compiled(*, now: datetime) -> policy.Content:
    """Give what should be in force now."""
    corrections = [as_policy(correction) for correction in Correction.objects.wanted(now=now)]
    return policy.Content(corrections=tuple(sorted(corrections, key=lambda each: each.id)))


def as_policy(correction: Correction) -> policy.Correction:
    """Give a correction as the policy says it; a permanent one has no expiry any more."""
    terms = Terms.of(correction)
    if correction.state == State.PERMANENT:
        terms = terms.without_expiry()
    return spec(terms, policy_id=correction.policy_id, approval_digest=correction.approval_digest)


def _store(content: policy.Content, *, version: int, now: datetime) -> PolicyVersion:
    key, key_id = signing_key()
    signed = policy.sign(content, version=version, key=key, key_id=key_id)
    return PolicyVersion.objects.create(
        version=version,
        content=policy.canonical(content),
        raw=policy.encode(signed),
        digest=signed.digest,
        key_id=key_id,
        created_at=now,
    )


def _note_what_is_new(content: policy.Content, before: PolicyVersion | None, version: PolicyVersion) -> None:
    """Remember from which policy on the gateways have to show each correction as it is now."""
    known = policy.parse(bytes(before.content), policy.Content).corrections if before else ()
    for each in set(content.corrections) - set(known):
        reference, number = each.id.rsplit(".", 1)
        Correction.objects.filter(reference=reference, version=number).update(policy_version=version.version)


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
