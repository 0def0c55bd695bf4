"""Keeping the list of sources."""

from __future__ import annotations

import re

from django.db import transaction

from incidents.actions import words
from incidents.monitoring import policies
from incidents.monitoring.models import Source
from incidents.monitoring.states import Kind
from irapp.accounts.models import User
from irapp.audit.record import record
from irapp.common.errors import InvalidError

CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


@transaction.atomic
def add_source(*, code: str, name: str, kind: str, by: User, owner_id: int | None = None) -> Source:
    """Listen to one more source."""
    policies.check_can_keep_sources(by)
    if not CODE.fullmatch(code):
        message = "Use lower-case letters, digits and hyphens, at most 60."
        raise InvalidError(message, code="bad_code", field="code")
    columns = {"name": words(name, "name", most=120), "kind": _kind(kind), "owner": _owner(owner_id)}
    source, made = Source.objects.get_or_create(code=code, defaults=columns)
    if not made:
        raise InvalidError("This code is taken.", code="code_taken", field="code")
    record("source.added", source, by=by, code=code, kind=kind)
    return source


@transaction.atomic
def edit_source(
    *, source_id: int, by: User, name: str, kind: str, enabled: bool, owner_id: int | None = None
) -> Source:
    """Change what is known of a source, or stop listening to it."""
    policies.check_can_keep_sources(by)
    source = Source.objects.select_for_update().filter(pk=source_id).first()
    if source is None:
        raise InvalidError("There is no such source.", code="unknown_source", field="source")
    before = _columns(source)
    source.name, source.kind = words(name, "name", most=120), _kind(kind)
    source.enabled, source.owner = enabled, _owner(owner_id)
    changes = {
        field: [str(before[field]), str(value)]
        for field, value in _columns(source).items()
        if value != before[field]
    }
    if changes:
        source.save()
        record("source.edited", source, by=by, changes=changes)
    return source


def _columns(source: Source) -> dict[str, object]:
    return {name: getattr(source, name) for name in ("name", "kind", "owner", "enabled")}


def _kind(value: str) -> str:
    if value not in Kind.values:
        raise InvalidError("This is not a kind of source.", code="unknown_kind", field="kind")
    return value


def _owner(owner_id: int | None) -> User | None:
    if owner_id is None:
        return None
    owner = User.objects.filter(pk=owner_id, is_active=True).first()
    if owner is None:
        raise InvalidError("There is no such person.", code="unknown_person", field="owner")
    return owner
