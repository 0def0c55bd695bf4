"""Beginning, describing and retiring segments and pattern sets."""

from __future__ import annotations

from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from corrections.segments import policies
from corrections.segments.actions.base import locked, next_reference
from corrections.segments.models import PatternSet, Register, Segment
from corrections.segments.selectors import usage
from corrections.validation import text
from irapp.accounts.models import User
from irapp.audit.record import hint, record
from irapp.common.errors import InvalidError

R = TypeVar("R", bound=Register)


@transaction.atomic
def create_segment(
    *, title: str, of: str, by: User, description: str = "", owner_id: int | None = None
) -> Segment:
    """Begin a segment; nobody is in it yet."""
    policies.check_can_keep(by)
    if of not in Segment.Of.values:
        raise InvalidError(f"There are no segments of {of!r}.", field="of", code="unknown_kind")
    return _begun(Segment(of=of), title=title, description=description, owner_id=owner_id, by=by)


@transaction.atomic
def create_pattern_set(
    *, title: str, by: User, description: str = "", owner_id: int | None = None
) -> PatternSet:
    """Begin a pattern set; nothing is in it yet."""
    policies.check_can_keep(by)
    return _begun(PatternSet(), title=title, description=description, owner_id=owner_id, by=by)


@transaction.atomic
def edit(
    *,
    kind: type[R],
    pk: int,
    revision: int,
    title: str,
    by: User,
    description: str = "",
    owner_id: int | None = None,
) -> R:
    """Change the words around the content, unless somebody else changed it since ``revision``."""
    register = locked(kind, pk)
    policies.check_can_change(register, by)
    policies.check_revision(register, revision)
    before = _words(register)
    _write(register, title=title, description=description, owner_id=owner_id)
    changes = {name: [before[name], now] for name, now in _words(register).items() if now != before[name]}
    if changes:
        register.revision += 1
        register.changed_at = timezone.now()
        register.save()
        record(_verb(register, "edited"), register, by=by, changes=changes, revision=register.revision)
        hint("segments")
    return register


@transaction.atomic
def retire(*, kind: type[R], pk: int, reason: str, by: User) -> R:
    """Take it out of use. Its versions stay; new corrections cannot name it."""
    register = locked(kind, pk)
    policies.check_can_retire(register, by, used_by=usage.uses(register))
    register.retired_at, register.retired_by = timezone.now(), by
    register.retired_reason = text(reason, field="reason", required=True, most=4000)
    register.revision += 1
    register.save()
    record(_verb(register, "retired"), register, by=by, reason=register.retired_reason)
    hint("segments")
    return register


def _begun(register: R, *, title: str, description: str, owner_id: int | None, by: User) -> R:
    register.reference, register.created_by = next_reference(type(register)), by
    _write(register, title=title, description=description, owner_id=owner_id)
    register.save()
    record(_verb(register, "created"), register, by=by, content=_words(register))
    hint("segments")
    return register


def _write(register: Register, *, title: str, description: str, owner_id: int | None) -> None:
    if owner_id is not None and not User.objects.filter(pk=owner_id, is_active=True).exists():
        raise InvalidError("There is no such person.", field="owner", code="unknown_person")
    register.title = text(title, field="title", required=True, most=200)
    register.description = text(description, field="description")
    register.owner_id = owner_id


def _words(register: Register) -> dict[str, object]:
    words: dict[str, object] = {
        "title": register.title,
        "description": register.description,
        "owner": register.owner_id,
    }
    if isinstance(register, Segment):
        words["of"] = register.of
    return words


def _verb(register: Register, what: str) -> str:
    return f"{register.noun.replace(' ', '_')}.{what}"
