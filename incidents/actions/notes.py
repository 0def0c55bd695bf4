"""What people write down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from incidents import policies
from incidents.actions.shared import locked, settle_skipped, words
from incidents.models import Note, NoteVersion
from irapp.audit.record import record
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from irapp.accounts.models import User


@transaction.atomic
def add_note(*, incident_id: int, body: str, by: User, kind: str = Note.Kind.NOTE) -> Note:
    """Write a note, or the assessment that execution asks for."""
    incident = locked(incident_id)
    policies.check_can_write(incident, by)
    if kind not in Note.Kind.values:
        raise InvalidError(f"“{kind}” is not a kind of note.", code="unknown_kind", field="kind")
    note = Note.objects.create(incident=incident, kind=kind, author=by, body=words(body, "body"))
    record("note.added", note, by=by, kind=kind)
    settle_skipped(incident, by=by)
    return note


@transaction.atomic
def edit_note(*, note_id: int, body: str, revision: int, by: User) -> Note:
    """Replace the wording; the one before stays readable."""
    note = _locked(note_id)
    policies.check_can_edit_note(note, by)
    if note.revision != revision:
        raise ConflictError(
            "This note was changed in the meantime.",
            code="stale_revision",
            details={"revision": note.revision},
        )
    body = words(body, "body")
    if body != note.body:
        _reword(note, body)
        record("note.edited", note, by=by, revision=note.revision)
    return note


def _locked(note_id: int) -> Note:
    """Lock the note's incident first, then read the note: the same order as every other action."""
    incident_id = Note.objects.filter(pk=note_id).values_list("incident_id", flat=True).first()
    if incident_id is None:
        raise InvalidError("There is no such note.", code="unknown_note", field="note")
    incident = locked(incident_id)
    note = Note.objects.select_related("author").get(pk=note_id)
    note.incident = incident
    return note


def _reword(note: Note, body: str) -> None:
    written = note.edited_at or note.written_at
    NoteVersion.objects.create(note=note, number=note.revision, body=note.body, written_at=written)
    note.body, note.edited_at = body, timezone.now()
    note.revision += 1
    note.save()
