"""The timeline of an incident: its events, with the notes that belong to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from incidents.models import Note
from incidents.telling import tell
from irapp.audit.models import Event

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from incidents.models import Incident
    from irapp.accounts.models import User

PAGE = 40


class Kind(models.TextChoices):
    """What the timeline can be narrowed to."""

    ALL = "", "Everything"
    STAGES = "stages", "Stages"
    NOTES = "notes", "Notes"
    TASKS = "tasks", "Tasks"
    PEOPLE = "people", "People"
    PREPARATION = "preparation", "Preparation"
    MEASURES = "measures", "Signals and corrections"


PREFIXES: dict[str, tuple[str, ...]] = {
    Kind.STAGES: ("incident.",),
    Kind.NOTES: ("note.",),
    Kind.TASKS: ("task.",),
    Kind.PEOPLE: ("part.",),
    Kind.PREPARATION: ("binding.", "condition."),
}


@dataclass(frozen=True)
class Entry:
    """One line of the timeline, as its component prints it."""

    at: datetime
    who: str
    what: str
    icon: str
    tone: str
    text: str = ""
    url: str = ""
    detail: str = ""
    note: Note | None = None
    can_edit: bool = False


@dataclass(frozen=True)
class Timeline:
    """One page of it; ``before`` continues it."""

    entries: list[Entry] = field(default_factory=list)
    before: int | None = None


def timeline(incident: Incident, user: User, *, kind: str = "", before: int | None = None) -> Timeline:
    """Read one page, the newest first: one query for the events, one for the notes among them."""
    events = Event.objects.filter(incident_id=incident.pk).filter(_of_kind(kind))
    if before is not None:
        events = events.filter(pk__lt=before)
    found = list(events.order_by("-pk")[: PAGE + 1])
    shown = found[:PAGE]
    notes = _notes(shown)
    entries = [_entry(event, notes, user) for event in shown]
    return Timeline(entries, shown[-1].pk if len(found) > PAGE else None)


def _of_kind(kind: str) -> Q:
    if kind in PREFIXES:
        return _starting(PREFIXES[kind])
    if kind == Kind.MEASURES:
        return ~_starting(prefix for prefixes in PREFIXES.values() for prefix in prefixes)
    return Q()


def _starting(prefixes: Iterable[str]) -> Q:
    wanted = Q(pk__in=[])
    for prefix in prefixes:
        wanted |= Q(verb__startswith=prefix)
    return wanted


def _notes(events: list[Event]) -> dict[int, Note]:
    keys = [event.target_id for event in events if event.verb == "note.added"]
    return Note.objects.in_bulk(keys) if keys else {}


def _entry(event: Event, notes: dict[int, Note], user: User) -> Entry:
    told = tell(event)
    note = notes.get(event.target_id) if event.verb == "note.added" else None
    return Entry(
        at=event.at,
        who=event.actor_name,
        what=told.what,
        icon=told.icon,
        tone=told.tone,
        text=note.body if note else told.text,
        url=told.url,
        detail=told.detail,
        note=note,
        can_edit=note is not None and note.author_id == user.pk,
    )
