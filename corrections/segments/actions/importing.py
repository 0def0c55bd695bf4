"""Taking subjects and patterns in, and out. What is taken in is a new version; nothing changes in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from django.db import transaction

from corrections.segments import packing, pattern_files, policies, reading
from corrections.segments.actions.base import kept, locked, send_ahead, settled
from corrections.segments.models import (
    Attachment,
    Mode,
    Packing,
    PatternSet,
    PatternSetVersion,
    Register,
    Segment,
    SegmentVersion,
)
from corrections.segments.packing import Parts
from corrections.segments.selectors import members
from corrections.validation import text
from enforcement import policy
from irapp.audit.record import owe, record
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from irapp.accounts.models import User

R = TypeVar("R", bound=Register)
INVALID_TOLD = 100


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What somebody means to do with a file, and what they have seen before.

    :param revision: the one that the preview was made from; None where nobody looked.
    :param skip_invalid: said explicitly: go on without the invalid rows.
    """

    mode: Mode
    reason: str
    revision: int | None = None
    skip_invalid: bool = False
    source_name: str = ""
    source_digest: str = ""


@transaction.atomic
def import_subjects(*, segment_id: int, read: reading.Read, intent: Intent, by: User) -> SegmentVersion:
    """Make the next version of a segment from what a file says.

    :raises ConflictError: ``stale``, ``retired``, ``nothing_changes``.
    :raises InvalidError: ``invalid_rows`` with the rows, unless they are to be skipped; ``too_many``.
    """
    segment = locked(Segment, segment_id)
    policies.check_can_import(segment, by, revision=intent.revision)
    _check_complete(read.invalid, intent)
    _check_replacing(segment, intent, given=len(read.names))
    parts = members.parts_of(members.version_of(segment))
    change = packing.change(parts, frozenset(read.names), intent.mode)
    _check_change(segment, nothing=change.nothing, count=change.count, most=policy.LIST_MOST)
    return _next_version(segment, parts, change, intent, skipped=len(read.invalid), by=by)


def change_subjects(
    *,
    segment_id: int,
    mode: Mode,
    names: Sequence[str],
    reason: str,
    by: User,
    revision: int | None = None,
    skip_invalid: bool = False,
) -> SegmentVersion:
    """Add or remove subjects that are named one by one."""
    intent = Intent(mode=mode, reason=reason, revision=revision, skip_invalid=skip_invalid)
    return import_subjects(segment_id=segment_id, read=reading.of_names(names), intent=intent, by=by)


@transaction.atomic
def import_patterns(
    *, pattern_set_id: int, read: pattern_files.ReadPatterns, intent: Intent, by: User
) -> PatternSetVersion:
    """Make the next version of a pattern set from what a file says; refuses as :func:`import_subjects`."""
    register = locked(PatternSet, pattern_set_id)
    policies.check_can_import(register, by, revision=intent.revision)
    _check_complete(read.invalid, intent)
    _check_replacing(register, intent, given=len(read.patterns))
    current = members.patterns_in(members.patterns_version(register))
    change = pattern_files.change(current, read.patterns, intent.mode)
    _check_change(register, nothing=change.nothing, count=len(change.result), most=policy.PATTERNS_MOST)
    if not change.result:
        raise ConflictError("A pattern set keeps at least one pattern; retire it instead.", code="left_empty")
    return _next_patterns(register, change, intent, skipped=len(read.invalid), by=by)


@transaction.atomic
def merge(*, segment_id: int) -> bool:
    """Pack the newest version into one base, if its recent list has grown; tell whether it was done.

    Who belongs to it stays the same, so no revision, no decision and no correction is touched.
    """
    segment = locked(Segment, segment_id)
    version = members.version_of(segment)
    parts = members.parts_of(version)
    if version is None or not parts.wants_merging:
        return False
    packed = _pack(version, packing.merged(parts))
    record("segment.merged", segment, by=None, version=version.number, count=version.count)
    send_ahead(segment, packed.digests)
    return True


@transaction.atomic
def export(*, register: R, version: int, rows: int, by: User) -> R:
    """Put on the record who takes a list out of the house."""
    policies.check_can_export(by)
    record(f"{register.noun.replace(' ', '_')}.exported", register, by=by, version=version, rows=rows)
    return register


def _check_complete(invalid: Sequence[reading.Invalid], intent: Intent) -> None:
    """Nothing is dropped silently: whoever goes on without invalid rows says so."""
    if not invalid or intent.skip_invalid:
        return
    rows = [{"line": row.line, "value": row.value, "reason": row.reason} for row in invalid[:INVALID_TOLD]]
    some = "One row is" if len(invalid) == 1 else f"{len(invalid)} rows are"
    raise InvalidError(
        f"{some} invalid, the first on line {invalid[0].line}: {invalid[0].reason}."
        " Mend them, or say that you go on without them.",
        field="skip_invalid",
        code="invalid_rows",
        details={"invalid": len(invalid), "rows": rows},
    )


def _check_replacing(register: Register, intent: Intent, *, given: int) -> None:
    if intent.mode != Mode.REPLACE:
        return
    if not given:
        raise InvalidError(
            f"Nothing valid is left to replace the {register.subjects} with.", field="file", code="empty_file"
        )
    if intent.revision is None and register.version:
        raise InvalidError(
            "Say which revision is to be replaced.", field="revision", code="revision_required"
        )


def _check_change(register: Register, *, nothing: bool, count: int, most: int) -> None:
    if nothing:
        raise ConflictError(
            f"{register} would stay as it is: nothing in the file changes it.", code="nothing_changes"
        )
    if count > most:
        raise InvalidError(
            f"A {register.noun} has at most {most} {register.subjects}; these would be {count}.",
            field="file",
            code="too_many",
        )


def _next_version(
    segment: Segment, parts: Parts, change: packing.Change, intent: Intent, *, skipped: int, by: User
) -> SegmentVersion:
    after = packing.repacked(parts, change)
    version = SegmentVersion.objects.create(
        segment=segment,
        **_told(segment, intent, by=by),
        added=len(change.added),
        removed=len(change.removed),
        skipped=skipped,
        count=change.count,
    )
    packed = _pack(version, after)
    settled(segment, version, by=by, digests=packed.digests)
    if after.wants_merging:
        _owe_merge(segment)
    return version


def _next_patterns(
    register: PatternSet, change: pattern_files.Change, intent: Intent, *, skipped: int, by: User
) -> PatternSetVersion:
    number = register.version + 1
    content = policy.PatternSet(
        name=f"{register.reference} {register.title}", version=number, patterns=change.result
    )
    digest = kept(policy.canonical(content), kind=Attachment.Kind.PATTERNS, count=len(change.result))
    version = PatternSetVersion.objects.create(
        pattern_set=register,
        attachment_id=digest,
        **_told(register, intent, by=by),
        added=len(change.added),
        removed=len(change.removed),
        changed=len(change.changed),
        skipped=skipped,
        count=len(change.result),
    )
    settled(register, version, by=by, digests=[digest])
    return version


def _told(register: Register, intent: Intent, *, by: User) -> dict[str, object]:
    return {
        "number": register.version + 1,
        "by": by,
        "mode": intent.mode,
        "reason": text(intent.reason, field="reason", required=True, most=4000),
        "source_name": text(intent.source_name, field="file", most=250),
        "source_digest": intent.source_digest,
    }


def _pack(version: SegmentVersion, parts: Parts) -> Packing:
    base = parts.base_digest or _list(parts.base)
    return Packing.objects.create(version=version, base_id=base, recent_id=_list(parts.recent))


def _list(names: frozenset[str]) -> str | None:
    if not names:
        return None
    return kept(policy.subject_list(names), kind=Attachment.Kind.SUBJECTS, count=len(names))


def _owe_merge(segment: Segment) -> None:
    owe("segment.merge", key=str(segment), payload={"segment": segment.pk})
