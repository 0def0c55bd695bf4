"""How an entry of a register is checked, stored and recorded."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

from django.db.models import ManyToManyField

from incidents.actions import words
from incidents.preparation import policies
from incidents.preparation.contents import FallbackContent, ModelContent, PlanContent
from incidents.preparation.models import DeployedModel, Entry
from irapp.accounts.models import User
from irapp.audit.record import record
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from incidents.preparation.contents import Owned

E = TypeVar("E", bound=Entry)
GATEWAY_NAME = re.compile(r"[^\s\x00-\x1f;=,\"\\]+")
"""What a gateway takes for a model's name."""

RENAMED = {"model_ids": "deployed_models", "plan_ids": "plans"}
LONGEST_STEPS = 60


def locked_entry(kind: type[E], pk: int, revision: int | None = None) -> E:
    """Lock an entry for the rest of the transaction; refuse what somebody else changed since ``revision``."""
    entry = kind.objects.select_for_update().filter(pk=pk).first()
    if not isinstance(entry, kind):
        raise InvalidError(f"There is no such {kind.noun}.", code="unknown_entry")
    if revision is not None and revision != entry.revision:
        seen: dict[str, object] = {"revision": entry.revision}
        message = f"This {kind.noun} was changed by somebody else in the meantime."
        raise ConflictError(message, code="stale_revision", details=seen)
    return entry


def store(entry: E, content: Owned, *, by: User) -> E:
    """Write the content into a new or locked entry, and record what changed."""
    policies.check_can_prepare(by)
    policies.check_is_current(entry)
    check(entry, content)
    new = entry.pk is None
    changes = _fill(entry, content)
    entry.revision += 0 if new or not changes else 1
    entry.save()
    changes |= _link(entry, content)
    if new:
        record(f"{entry.noun}.added", entry, by=by, content={name: pair[1] for name, pair in changes.items()})
    elif changes:
        record(f"{entry.noun}.edited", entry, by=by, changes=changes, revision=entry.revision)
    return entry


def check(entry: Entry, content: Owned) -> None:
    """Refuse, by field, what the register cannot hold."""
    for field in fields(content):
        value = getattr(content, field.name)
        if isinstance(value, str):
            short = field.name in {"title", "name", "audience"}
            words(value, field.name, most=200 if short else 20_000, required=field.name in {"title", "name"})
    if content.owner_id is not None and not User.objects.filter(pk=content.owner_id).exists():
        raise InvalidError("There is no such person.", code="unknown_person", field="owner")
    match content:
        case ModelContent():
            _check_model(entry, content)
        case FallbackContent():
            _check_fallback(content)
        case PlanContent():
            _check_plan(content)


def _check_model(entry: Entry, content: ModelContent) -> None:
    if not GATEWAY_NAME.fullmatch(content.name) or len(content.name) > 100:  # noqa: PLR2004 (the column)
        message = "A gateway's model name has at most 100 characters, no spaces, quotes, “;”, “=” or “,”."
        raise InvalidError(message, code="bad_name", field="name")
    if DeployedModel.objects.filter(name=content.name).exclude(pk=entry.pk).exists():
        raise InvalidError("This name is registered already.", code="name_taken", field="name")
    if not content.fallback_needed and not content.fallback_reason.strip():
        raise InvalidError("Say why no fallback is needed.", code="empty", field="fallback_reason")
    if content.access not in DeployedModel.Access.values:
        raise InvalidError("This is not an access mode.", code="unknown_access", field="access")


def _check_fallback(content: FallbackContent) -> None:
    known = set(DeployedModel.objects.values_list("pk", flat=True))
    if content.model_id not in known:
        raise InvalidError("There is no such model.", code="unknown_model", field="model")
    if content.other_model_id is not None and content.other_model_id not in known:
        raise InvalidError("There is no such model.", code="unknown_model", field="other_model")
    if content.other_model_id == content.model_id:
        raise InvalidError("A model cannot fall back to itself.", code="same_model", field="other_model")
    if content.other_model_id is None and not content.manual_process.strip():
        message = "Name a fallback model, or describe what people do by hand."
        raise InvalidError(message, code="empty", field="manual_process")


def _check_plan(content: PlanContent) -> None:
    if not content.steps:
        raise InvalidError("A plan needs at least one step.", code="empty", field="steps")
    if len(content.steps) > LONGEST_STEPS:
        raise InvalidError(f"At most {LONGEST_STEPS} steps.", code="too_long", field="steps")
    for step in content.steps:
        words(step.title, "steps", most=200)
        words(step.detail, "steps", most=2000, required=False)


def _fill(entry: Entry, content: Owned) -> dict[str, list[object]]:
    changes: dict[str, list[object]] = {}
    for field in fields(content):
        if field.name in {*RENAMED, "steps"}:
            continue
        value = getattr(content, field.name)
        value = value.strip() if isinstance(value, str) else value
        before = getattr(entry, field.name)
        if value != before:
            changes[field.name] = [_plain(before), _plain(value)]
            setattr(entry, field.name, value)
    return changes


def _link(entry: Entry, content: Owned) -> dict[str, list[object]]:
    changes: dict[str, list[object]] = {}
    for name, relation in RENAMED.items():
        wanted = getattr(content, name, None)
        if wanted is None or not isinstance(entry._meta.get_field(relation), ManyToManyField):  # noqa: SLF001
            continue
        manager = getattr(entry, relation)
        before = sorted(manager.values_list("pk", flat=True))
        if sorted(wanted) != before:
            manager.set(wanted)
            changes[relation] = [before, sorted(wanted)]
    return changes


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | bool | None) else str(value)
