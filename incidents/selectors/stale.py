"""What somebody else changed while a form was open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irapp.audit.models import Event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db import models


@dataclass(frozen=True)
class Difference:
    """A field, as it stands now and as this person wants it; for the diff component."""

    label: str
    old: str
    new: str
    changed: bool


@dataclass(frozen=True)
class Stale:
    """Both versions, and who changed what since."""

    rows: Sequence[Difference]
    events: Sequence[Event]


def compare(current: models.Model, wanted: Mapping[str, Any]) -> Stale:
    """Set what is stored beside what was sent, and name those who changed it since that revision."""
    rows = [_difference(current, name, value) for name, value in wanted.items() if name != "revision"]
    events = Event.objects.filter(target_type=current._meta.label_lower, target_id=current.pk)  # noqa: SLF001
    since = [event for event in events[:50] if event.data.get("revision", 0) > wanted["revision"]]
    return Stale(rows, since)


def _difference(current: models.Model, name: str, value: Any) -> Difference:
    field = current._meta.get_field(name)  # noqa: SLF001 (public by Django's documentation)
    stored = getattr(current, name)
    label = str(getattr(field, "verbose_name", name)).capitalize()
    return Difference(label, _text(stored), _text(value), changed=_text(stored) != _text(value))


def _text(value: Any) -> str:
    return "" if value is None else str(value)
