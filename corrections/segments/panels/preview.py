"""What a file would do, before it is taken in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from corrections.segments import packing, pattern_files, reading
from corrections.segments.models import Mode, PatternSet, Register, Segment, Upload
from corrections.segments.selectors import members

SHOWN = 100
SOME = 12
_VERBS = {Mode.ADD: "Add them", Mode.REMOVE: "Remove them", Mode.REPLACE: "Replace everything"}


@dataclass(frozen=True)
class Count:
    """A number that the preview shows, and what it means."""

    label: str
    number: int
    tone: str
    text: str


@dataclass(frozen=True)
class Preview:
    """What would become of it: every row accounted for.

    :ivar why_not: why it cannot be taken in as it is; empty where it can.
    """

    register: Register
    mode: str
    counts: Sequence[Count]
    after: int
    invalid: Sequence[reading.Invalid]
    invalid_total: int
    reasons: Sequence[tuple[str, int]]
    coming: Sequence[str]
    going: Sequence[str]
    table: reading.Table | None
    why_not: str
    upload: Upload | None = None

    @property
    def verb(self) -> str:
        """What the button says."""
        return _VERBS[Mode(self.mode)]


def preview_subjects(upload: Upload, layout: reading.Layout, mode: Mode) -> Preview:
    """Say what taking in a file of subjects would do."""
    segment = upload.segment
    assert segment is not None  # noqa: S101 - the view looked it up by its segment
    read = reading.read(bytes(upload.raw), of=segment.of, layout=layout)
    return replace(preview_read(segment, read, mode), upload=upload)


def preview_patterns(upload: Upload, mode: Mode) -> Preview:
    """Say what taking in a file of patterns would do."""
    register = upload.pattern_set
    assert register is not None  # noqa: S101 - the view looked it up by its pattern set
    read = pattern_files.read(bytes(upload.raw), name=upload.name)
    return replace(preview_read_patterns(register, read, mode), upload=upload)


def preview_read(segment: Segment, read: reading.Read, mode: Mode) -> Preview:
    """Say what taking in these subjects would do."""
    current = members.parts_of(members.version_of(segment))
    change = packing.change(current, frozenset(read.names), mode)
    return Preview(
        register=segment,
        mode=mode,
        counts=_subject_counts(read, change, mode),
        after=change.count,
        **_invalid(read.invalid),
        coming=sorted(change.added)[:SOME],
        going=sorted(change.removed)[:SOME],
        table=read.table,
        why_not=_why_not(segment, nothing=change.nothing, given=len(read.names)),
    )


def preview_read_patterns(register: PatternSet, read: pattern_files.ReadPatterns, mode: Mode) -> Preview:
    """Say what taking in these patterns would do."""
    current = members.patterns_in(members.patterns_version(register))
    change = pattern_files.change(current, read.patterns, mode)
    texts = {each.id: each.text for each in (*current, *read.patterns)}
    return Preview(
        register=register,
        mode=mode,
        counts=_pattern_counts(read, change, mode),
        after=len(change.result),
        **_invalid(read.invalid),
        coming=[texts[key] for key in (*change.added, *change.changed)[:SOME]],
        going=[texts[key] for key in change.removed[:SOME]],
        table=None,
        why_not=_why_not(register, nothing=change.nothing, given=len(read.patterns)),
    )


def _subject_counts(read: reading.Read, change: packing.Change, mode: Mode) -> list[Count]:
    counts = [
        Count("New", len(change.added), "ok", "Not in the segment yet; they are added."),
        Count("Removed", len(change.removed), "danger", "In the segment now; they are taken out."),
        Count("Already in it", change.known, "neutral", "In the segment now; nothing changes for them."),
    ]
    if mode == Mode.REMOVE:
        counts = [counts[1], Count("Not in it", change.absent, "warn", "Nothing is there to remove.")]
    elif mode == Mode.ADD:
        counts.pop(1)
    return [*counts, *_row_counts(read.duplicates, len(read.invalid), read.blank)]


def _pattern_counts(
    read: pattern_files.ReadPatterns, change: pattern_files.Change, mode: Mode
) -> list[Count]:
    counts = [
        Count("New", len(change.added), "ok", "Not in the set yet; they are added."),
        Count("Changed", len(change.changed), "warn", "Same id, other text, kind, weight or sample."),
        Count("Removed", len(change.removed), "danger", "In the set now; they are taken out."),
        Count("Already in it", change.known, "neutral", "In the set now; nothing changes for them."),
    ]
    if mode == Mode.REMOVE:
        counts = [counts[2], Count("Not in it", change.absent, "warn", "Nothing is there to remove.")]
    elif mode == Mode.ADD:
        counts.pop(2)
    return [*counts, *_row_counts(read.duplicates, len(read.invalid), read.blank)]


def _row_counts(duplicates: int, invalid: int, blank: int) -> list[Count]:
    return [
        Count("Twice in the file", duplicates, "neutral", "They stand further up; each counts once."),
        Count("Invalid", invalid, "danger" if invalid else "neutral", "Listed below with their reasons."),
        *([Count("Blank lines", blank, "neutral", "Nothing stands on them.")] if blank else []),
    ]


def _invalid(rows: Sequence[reading.Invalid]) -> dict[str, Any]:
    return {
        "invalid": rows[:SHOWN],
        "invalid_total": len(rows),
        "reasons": reading.reasons(rows),
    }


def _why_not(register: Register, *, nothing: bool, given: int) -> str:
    if not given:
        return "No valid row is left: there is nothing to take in."
    if nothing:
        return f"{register} would stay as it is: nothing in the file changes it."
    return ""
