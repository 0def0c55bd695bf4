"""The list of corrections: tabs by what is asked of the reader, filters, one page of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.db.models import Count, Exists, OuterRef, Q

from corrections.models import Correction, Gateway, Proposal
from corrections.panels.paging import Page, page
from corrections.panels.words import CLASS_OF, CLASSES, summary
from corrections.states import ENDED, IN_POLICY, State
from corrections.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from irapp.accounts.models import User

_ASKED = Exists(Proposal.objects.open().filter(correction=OuterRef("pk")))
APPLYING = (State.APPROVED, State.ENFORCING, State.FAILED, State.LIFTING)
GROUPS: dict[str, tuple[str, Q]] = {
    "in-force": ("In force", Q(state__in=[State.ACTIVE, State.PERMANENT])),
    "waiting": ("Waiting for decision", Q(asked=True)),
    "applying": ("Being applied", Q(state__in=APPLYING)),
    "drafts": ("Drafts", Q(state=State.DRAFT)),
    "ended": ("Ended", Q(state__in=sorted(ENDED))),
}
"""Tabs: address, name, what belongs there. A correction in force whose lifting is proposed stands in two."""
_COUNTED = tuple(name for name in GROUPS if name != "ended")
"""What has ended grows for ever and is not counted."""
EMPTY = {
    "in-force": ("No correction is in force", "What is verified at every gateway appears here."),
    "waiting": ("Nothing waits for a decision", "Proposals appear here until enough people have voted."),
    "applying": (
        "Nothing is being applied",
        "Approved corrections appear here until every gateway has shown them.",
    ),
    "drafts": ("No drafts", "Propose a correction from the page of an incident."),
    "ended": ("Nothing has ended yet", "Lifted, rejected, withdrawn and superseded corrections appear here."),
}


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    correction: Correction
    summary: str
    class_title: str
    live: bool
    verified: int
    asked: bool


@dataclass(frozen=True)
class Listing:
    """Everything that the list prints."""

    tabs: list[dict[str, object]]
    rows: list[Row]
    page: Page
    gateways: int
    here: str
    group: str
    title: str
    empty_title: str
    empty_text: str


def listing(user: User, query: Mapping[str, str], filters: Mapping[str, str]) -> Listing:
    """Collect one page of what this person may see."""
    group = query.get("tab") or "in-force"
    group = group if group in GROUPS else "in-force"
    found = _filtered(Correction.objects.visible_to(user), filters).annotate(asked=_ASKED)
    verified = Count(
        "at_gateways", filter=Q(at_gateways__verified=True, at_gateways__gateway__retired_at=None)
    )
    rows = found.filter(GROUPS[group][1]).annotate(verified_at=verified).select_related("package__incident")
    cut = page(rows, query)
    shown = [_row(correction) for correction in cut.rows]
    gateways = Gateway.objects.expected().count()
    here = "?" + urlencode({**query, "part": "list"})
    return Listing(
        _tabs(found, group, filters), shown, cut, gateways, here, group, GROUPS[group][0], *EMPTY[group]
    )


def rows_of(corrections: QuerySet[Correction]) -> list[Row]:
    """Give corrections as rows, for the pages that list some of them."""
    return [_row(correction) for correction in _shown(corrections.annotate(asked=_ASKED))]


def _shown(corrections: QuerySet[Correction]) -> QuerySet[Correction]:
    counts = Q(at_gateways__verified=True, at_gateways__gateway__retired_at=None)
    return corrections.annotate(verified_at=Count("at_gateways", filter=counts)).select_related(
        "package__incident"
    )


def _filtered(rows: QuerySet[Correction], filters: Mapping[str, str]) -> QuerySet[Correction]:
    if filters.get("correction_class"):
        kinds = next(words.kinds for words in CLASSES if words.code == filters["correction_class"])
        rows = rows.filter(kind__in=list(kinds))
    if filters.get("model"):
        rows = rows.filter(functionality__models__contains=filters["model"])
    if filters.get("incident"):
        rows = rows.filter(package__incident__reference=filters["incident"].upper())
    return rows


def _tabs(found: QuerySet[Correction], group: str, filters: Mapping[str, str]) -> list[dict[str, object]]:
    totals = {name.replace("-", "_"): Count("pk", filter=GROUPS[name][1]) for name in _COUNTED}
    counts = found.filter(Q(asked=True) | ~Q(state__in=sorted(ENDED))).aggregate(**totals)
    kept = {name: value for name, value in filters.items() if value}
    return [
        {
            "label": label,
            "url": "?" + urlencode({"tab": name, **kept}),
            "current": name == group,
            "count": counts.get(name.replace("-", "_")),
        }
        for name, (label, _) in GROUPS.items()
    ]


def _row(correction: Correction) -> Row:
    extra = vars(correction)  # what the query added
    words = CLASS_OF[correction.kind]
    return Row(
        correction=correction,
        summary=summary(Terms.of(correction)),
        class_title=f"{words.code} {words.title}",
        live=correction.state in {*IN_POLICY, State.LIFTING},
        verified=extra["verified_at"],
        asked=extra["asked"],
    )
