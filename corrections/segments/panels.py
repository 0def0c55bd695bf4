"""Everything that the pages of segments and pattern sets print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse

from corrections.models import Correction
from corrections.panels.words import sentence
from corrections.segments import packing, pattern_files, policies, reading
from corrections.segments.actions.redrafting import outdated
from corrections.segments.models import Mode, PatternSet, Register, Segment, Upload
from corrections.segments.selectors import members, usage
from corrections.terms import Terms
from irapp.common.errors import DomainError
from irapp.common.paging import Page, page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.db.models import QuerySet

    from irapp.accounts.models import User

ROWS = 25
SHOWN = 100
SOME = 12
_VERBS = {Mode.ADD: "Add them", Mode.REMOVE: "Remove them", Mode.REPLACE: "Replace everything"}


@dataclass(frozen=True)
class Row:
    """A segment or pattern set in the list."""

    register: Register
    used: int


@dataclass(frozen=True)
class Listing:
    """One page of the list."""

    rows: Sequence[Row]
    page: Page[Any]
    may: bool
    filtered: bool


@dataclass(frozen=True)
class UseRow:
    """A correction that names it, in words; what the reader may not see has none."""

    use: usage.Use
    sentence: str


@dataclass(frozen=True)
class Attached:
    """An attachment of the newest version, as the facts name it."""

    label: str
    digest: str
    count: int
    size: int


@dataclass(frozen=True)
class Detail:
    """One segment or pattern set.

    :ivar outdated: corrections in force that were approved with an older version.
    :ivar hidden: corrections that name it and that the reader may not see.
    """

    register: Register
    of: str
    holding: str
    urls: Mapping[str, str]
    may_keep: bool
    may_change: bool
    may_export: bool
    uses: Sequence[UseRow]
    hidden: int
    outdated: int
    versions: Page[Any]
    attachments: Sequence[Attached]
    topic: str


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

    upload: Upload
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

    @property
    def verb(self) -> str:
        """What the button says."""
        return _VERBS[Mode(self.mode)]


def listing(user: User, rows: QuerySet[Any], query: Mapping[str, str], filters: Mapping[str, str]) -> Listing:
    """Collect one page of the list."""
    cut = page(_filtered(rows.visible_to(user), filters), query, size=ROWS)  # type: ignore[attr-defined]
    segments = rows.model is Segment
    used = (usage.segment_use_counts() if segments else usage.pattern_set_use_counts()) if cut.rows else {}
    shown = [Row(register, used.get(register.pk, 0)) for register in cut.rows]
    return Listing(shown, cut, allowed(policies.check_can_keep, user), any(filters.values()))


def detail(register: Segment | PatternSet, user: User, query: Mapping[str, str]) -> Detail:
    """Collect the page of one."""
    uses = usage.uses(register)
    rows, hidden = _seen(uses, user)
    versions: Any = register.versions.select_related("by")
    may = allowed(policies.check_can_change, register, user)
    segment = isinstance(register, Segment)
    return Detail(
        register=register,
        of=register.get_of_display() if isinstance(register, Segment) else "Patterns",
        holding="Subjects" if segment else "Patterns",
        urls=_urls(register),
        may_keep=allowed(policies.check_can_keep, user),
        may_change=may,
        may_export=register.version > 0 and allowed(policies.check_can_export, user),
        uses=rows,
        hidden=hidden,
        outdated=len(outdated(register, by=user)) if may else 0,
        versions=page(versions, query, size=ROWS),
        attachments=_attached(register),
        topic=f"{type(register).__name__.lower()}:{register.pk}",
    )


def preview_subjects(upload: Upload, layout: reading.Layout, mode: Mode) -> Preview:
    """Say what taking in a file of subjects would do."""
    segment = upload.segment
    assert segment is not None  # noqa: S101 - the view looked it up by its segment
    read = reading.read(bytes(upload.raw), of=segment.of, layout=layout)
    current = members.parts_of(members.version_of(segment)).everyone
    change = packing.change(current, frozenset(read.names), mode)
    return Preview(
        upload=upload,
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


def preview_patterns(upload: Upload, mode: Mode) -> Preview:
    """Say what taking in a file of patterns would do."""
    register = upload.pattern_set
    assert register is not None  # noqa: S101 - the view looked it up by its pattern set
    read = pattern_files.read(bytes(upload.raw), name=upload.name)
    current = members.patterns_in(members.patterns_version(register))
    change = pattern_files.change(current, read.patterns, mode)
    texts = {each.id: each.text for each in (*current, *read.patterns)}
    return Preview(
        upload=upload,
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


def allowed(rule: Callable[..., None], *args: object) -> bool:
    """Ask the rule that the action asks."""
    try:
        rule(*args)
    except DomainError:
        return False
    return True


def tabs(current: str) -> list[dict[str, object]]:
    """Lead from segments to pattern sets and back."""
    places = (("Segments", "segments:list"), ("Pattern sets", "segments:patterns"))
    return [
        {"label": label, "url": reverse(name), "current": name == current, "count": None}
        for label, name in places
    ]


def asked(query: Mapping[str, str], **changes: object) -> str:
    """Give the query with some of its values changed."""
    kept = {name: value for name, value in {**query, **changes}.items() if value not in ("", None)}
    return "?" + urlencode(kept)


def _urls(register: Register) -> dict[str, str]:
    """Give the addresses of its pages."""
    segment = isinstance(register, Segment)
    prefix = "" if segment else "pattern_"
    names = ("import", "edit", "retire", "redraft", "difference", "export")
    found = {name: reverse(f"segments:{prefix}{name}", args=[register.pk]) for name in names}
    holds = "subjects" if segment else "pattern_holds"
    return found | {"holds": reverse(f"segments:{holds}", args=[register.pk])}


def _attached(register: Segment | PatternSet) -> list[Attached]:
    if isinstance(register, PatternSet):
        version = members.patterns_version(register)
        parts = [("Attachment", version.attachment)] if version else []
    else:
        packing = members.packing_of(members.version_of(register))
        both = (("Base list", packing.base), ("Recent list", packing.recent)) if packing else ()
        parts = [(label, part) for label, part in both if part is not None]
    return [Attached(label, part.digest, part.count, part.size) for label, part in parts]


def _filtered(rows: Any, filters: Mapping[str, str]) -> Any:
    state = filters.get("state", "")
    if state != "all":
        rows = rows.exclude(retired_at=None) if state == "retired" else rows.current()
    if filters.get("of"):
        rows = rows.filter(of=filters["of"])
    if filters.get("q"):
        rows = rows.matching(filters["q"])
    return rows.select_related("owner")


def _seen(uses: Sequence[usage.Use], user: User) -> tuple[list[UseRow], int]:
    seen = set(
        Correction.objects.visible_to(user)
        .filter(pk__in=[use.correction.pk for use in uses])
        .values_list("pk", flat=True)
    )
    rows = [UseRow(use, sentence(Terms.of(use.correction))) for use in uses if use.correction.pk in seen]
    return rows, len(uses) - len(rows)


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
