"""Locks, references and attachments, the same for every action."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.db import connection
from django.utils import timezone

from corrections.segments.models import Attachment, Register
from enforcement import policy
from irapp.audit.record import hint, owe, record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corrections.segments.models import Version
    from irapp.accounts.models import User

R = TypeVar("R", bound=Register)


def locked(kind: type[R], pk: int) -> R:
    """Fetch a segment or pattern set that nobody else can change until this transaction ends."""
    register: R = kind.objects.select_for_update().get(pk=pk)  # type: ignore[assignment]
    return register


def next_reference(kind: type[Register]) -> str:
    """Give a reference that was never given before."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT nextval('segments_{kind.__name__.lower()}_reference')")
        return f"{kind.prefix}-{cursor.fetchone()[0]:04d}"


def kept(raw: bytes, *, kind: Attachment.Kind, count: int) -> str:
    """Store an attachment, unless it is here already, and give its address."""
    digest = policy.address(raw)
    mine = Attachment(digest=digest, kind=kind, size=len(raw), count=count, raw=raw)
    Attachment.objects.bulk_create([mine], ignore_conflicts=True)
    return digest


def settled(register: Register, version: Version, *, by: User, digests: Iterable[str]) -> None:
    """Make a version the newest one, put it on the record, and send its attachments ahead.

    Hubs and gateways then need not wait for them when a decision names them.
    """
    register.version, register.count = version.number, version.count
    register.revision += 1
    register.changed_at = timezone.now()
    register.save()
    event = record(
        f"{register.noun.replace(' ', '_')}.imported",
        register,
        by=by,
        version=version.number,
        mode=str(version.mode),
        reason=version.reason,
        added=version.added,
        removed=version.removed,
        left_out=version.skipped,
        count=version.count,
        source=version.source_name,
        source_digest=version.source_digest,
    )
    send_ahead(register, digests, event_id=event.pk)
    hint("segments")


def send_ahead(register: Register, digests: Iterable[str], *, event_id: int | None = None) -> None:
    """Owe the hubs these attachments."""
    named = sorted(set(digests))
    if named:
        owe(
            "attachments.deliver",
            key=f"{register} version {register.version}",
            payload={"digests": named, "event": event_id},
        )
