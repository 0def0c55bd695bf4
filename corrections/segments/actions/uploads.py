"""Files between upload and import. What was previewed is what is taken in: same bytes, same revision."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from corrections.segments import pattern_files, policies, reading
from corrections.segments.actions.importing import Intent, import_patterns, import_subjects
from corrections.segments.models import (
    PatternSet,
    PatternSetVersion,
    Register,
    Segment,
    SegmentVersion,
    Upload,
)
from enforcement import policy
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from irapp.accounts.models import User

KEPT = timedelta(days=1)


@transaction.atomic
def upload(*, register: Register, name: str, raw: bytes, by: User) -> Upload:
    """Keep a file until its preview is confirmed, for at most a day.

    :raises InvalidError: it cannot be read as a text at all.
    """
    policies.check_can_change(register, by)
    reading.decoded(raw)
    owner: dict[str, Register]
    owner = {"segment": register} if isinstance(register, Segment) else {"pattern_set": register}
    return Upload.objects.create(**owner, name=_file_name(name), raw=raw, digest=policy.address(raw), by=by)


def take_in_subjects(
    *, upload_id: int, digest: str, layout: reading.Layout, intent: Intent, by: User
) -> SegmentVersion:
    """Take in a file as it was previewed."""
    brought = _brought(upload_id, digest, by=by)
    if not isinstance(brought.segment, Segment):
        raise InvalidError("This file was brought for a pattern set.", field="file", code="wrong_kind")
    read = reading.read(bytes(brought.raw), of=brought.segment.of, layout=layout)
    return import_subjects(
        segment_id=brought.segment.pk, read=read, intent=_with_source(intent, brought), by=by
    )


def take_in_patterns(*, upload_id: int, digest: str, intent: Intent, by: User) -> PatternSetVersion:
    """Take in a file of patterns as it was previewed."""
    brought = _brought(upload_id, digest, by=by)
    if not isinstance(brought.pattern_set, PatternSet):
        raise InvalidError("This file was brought for a segment.", field="file", code="wrong_kind")
    read = pattern_files.read(bytes(brought.raw), name=brought.name)
    return import_patterns(
        pattern_set_id=brought.pattern_set.pk, read=read, intent=_with_source(intent, brought), by=by
    )


def forget_uploads(*, now: datetime) -> int:
    """Forget files that nobody confirmed, and those that are taken in: their content is kept elsewhere."""
    return Upload.objects.filter(at__lt=now - KEPT).delete()[0]


def _brought(upload_id: int, digest: str, *, by: User) -> Upload:
    rows = Upload.objects.of(by).select_related("segment", "pattern_set")
    brought = rows.filter(pk=upload_id).first()
    if brought is None:
        raise ConflictError("This file is no longer here. Bring it again.", code="upload_gone")
    if brought.digest != digest:
        raise ConflictError("This is not the file that was previewed. Look at it again.", code="stale")
    return brought


def _with_source(intent: Intent, brought: Upload) -> Intent:
    return replace(intent, source_name=brought.name, source_digest=brought.digest)


def _file_name(given: str) -> str:
    """Give the name without its path, and without what could not be shown."""
    name = given.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in name if character.isprintable()).strip()[:250] or "file"
