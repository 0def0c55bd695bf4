"""One segment or pattern set: what it holds, what names it, its versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from corrections.models import Correction
from corrections.panels.words import sentence
from corrections.segments import policies
from corrections.segments.actions.redrafting import outdated
from corrections.segments.models import PatternSet, Register, Segment
from corrections.segments.panels.words import allowed, asked
from corrections.segments.selectors import members, usage
from corrections.terms import Terms
from irapp.common.paging import Page, page

if TYPE_CHECKING:
    from irapp.accounts.models import User

ROWS = 25


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

    :ivar here: the address of the live part, at the same place of the versions.
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
    here: str
    attachments: Sequence[Attached]
    topic: str


def detail(register: Segment | PatternSet, user: User, query: Mapping[str, str]) -> Detail:
    """Collect the page of one."""
    uses = usage.uses(register)
    rows, hidden = _seen(uses, user)
    versions: Any = register.versions.select_related("by")
    may = allowed(policies.check_can_change, register, user)
    segment = isinstance(register, Segment)
    placed = {name: query[name] for name in ("before", "after") if name in query}
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
        versions=page(versions, placed, size=ROWS),
        here=asked({**placed, "part": "live"}),
        attachments=_attached(register),
        topic=f"{type(register).__name__.lower()}:{register.pk}",
    )


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


def _seen(uses: Sequence[usage.Use], user: User) -> tuple[list[UseRow], int]:
    seen = set(
        Correction.objects.visible_to(user)
        .filter(pk__in=[use.correction.pk for use in uses])
        .values_list("pk", flat=True)
    )
    rows = [UseRow(use, sentence(Terms.of(use.correction))) for use in uses if use.correction.pk in seen]
    return rows, len(uses) - len(rows)
