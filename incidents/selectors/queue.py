"""What stands in the queue, and how much of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Q, Value
from django.utils import timezone

from incidents.models import Incident, State, Task
from incidents.queue import CAP, Row, Tab, awaiting_decision, sources
from irapp.accounts.models import RoleCode

if TYPE_CHECKING:
    from datetime import datetime

    from incidents.querysets import IncidentQuerySet
    from irapp.accounts.models import User

PAGE = 50
PATIENCE = {
    "CRITICAL": timedelta(minutes=15),
    "HIGH": timedelta(hours=1),
    "": timedelta(hours=1),
    "MODERATE": timedelta(days=1),
    "LOW": timedelta(days=7),
}
"""How long an incident may stand in one stage before its row says that it ages."""
RUNNING = (State.MONITORING, State.EXECUTION, State.POST_INCIDENT)


@dataclass(frozen=True)
class Group:
    """Rows from another floor under their own heading."""

    name: str
    heading: str
    rows: list[Row]


@dataclass(frozen=True)
class TabLink:
    """A tab with its count."""

    label: str
    url: str
    current: bool
    count: str


@dataclass(frozen=True)
class Queue:
    """One page of the queue."""

    tab: Tab
    tabs: list[TabLink]
    groups: list[Group]
    rows: list[Row]
    after: str

    @property
    def is_empty(self) -> bool:
        """Nothing at all in this tab."""
        return not self.rows and not any(group.rows for group in self.groups)


def queue(user: User, tab: Tab, *, after: tuple[int, int] | None = None) -> Queue:
    """Read one page of a tab: the most severe first, within that the oldest first."""
    found = [(source, list(source.rows(user))) for source in sources()]
    incidents = _page(user, tab, after)
    now = timezone.now()
    groups = [
        Group(source.name, source.heading, rows) for source, rows in found if tab in source.tabs and rows
    ]
    extra = {one: sum(len(rows) for source, rows in found if one in source.tabs) for one in Tab}
    last = incidents[PAGE - 1] if len(incidents) > PAGE else None
    return Queue(
        tab=tab,
        tabs=_tabs(user, tab, extra),
        groups=[] if after else groups,
        rows=[row(incident, now=now) for incident in incidents[:PAGE]],
        after=f"{last.rank}-{last.pk}" if last else "",
    )


def in_tab(user: User, tab: Tab) -> list[IncidentQuerySet]:
    """Give the open incidents of a tab that the reader may see, in parts that each have an index.

    What needs me: what I command, what I own a task of, and, for commanders, what nobody commands.
    """
    visible: IncidentQuerySet = Incident.objects.visible_to(user).open()
    match tab:
        case Tab.MINE:
            tasks = Task.objects.open().filter(owner=user).values("incident")
            mine = [visible.filter(commander=user), visible.filter(pk__in=tasks)]
            return [*mine, visible.filter(commander=None)] if user.has_role(RoleCode.COMMANDER) else mine
        case Tab.DECISION:
            return [visible.filter(pk__in=ids) for ids in awaiting_decision()] or [visible.none()]
        case Tab.PROGRESS:
            return [visible.filter(state__in=RUNNING)]
        case Tab.WAITING:
            return [visible.filter(state=State.PREPARATION)]
    return [visible]


def row(incident: Incident, *, now: datetime) -> Row:
    """Show an incident as a row."""
    return Row(
        reference=incident.reference,
        title=incident.title,
        url=incident.get_absolute_url(),
        since=incident.moved_at,
        severity=incident.severity,
        state=incident.state,
        state_label=incident.get_state_display(),
        who=str(incident.commander or ""),
        model_name=incident.model_name,
        old=incident.is_open and now - incident.moved_at > PATIENCE[incident.severity],
        emergency=incident.is_emergency,
        restricted=incident.restricted,
    )


def _page(user: User, tab: Tab, after: tuple[int, int] | None) -> list[Incident]:
    """Read one more than a page, so that it is known whether another follows.

    Each part stops after a page by itself: no part is read as a whole, however many it has.
    """
    parts = [
        _after(part, after).order_by("rank", "pk").values("pk")[: PAGE + 1] for part in in_tab(user, tab)
    ]
    keys = parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0]
    found = Incident.objects.filter(pk__in=keys).select_related("commander")
    return list(found.order_by("rank", "pk")[: PAGE + 1])


def _after(incidents: IncidentQuerySet, after: tuple[int, int] | None) -> IncidentQuerySet:
    if after is None:
        return incidents
    rank, pk = after
    # The first condition lets the index begin at the right place; the second one skips what was shown.
    return incidents.filter(rank__gte=rank).filter(Q(rank__gt=rank) | Q(pk__gt=pk))


def _tabs(user: User, current: Tab, extra: dict[Tab, int]) -> list[TabLink]:
    """Count every tab in one query, none further than people care."""
    parts = [
        part.annotate(tab=Value(tab.value)).values_list("tab", "pk")[: CAP + 1]
        for tab in Tab
        for part in in_tab(user, tab)
    ]
    found = Counter(name for name, _ in parts[0].union(*parts[1:]))
    return [
        TabLink(tab.label, f"?tab={tab.value}", tab is current, capped(found[tab.value] + extra[tab]))
        for tab in Tab
    ]


def capped(number: int) -> str:
    """Give ``12``, or ``99+`` where nobody counts any more."""
    return f"{CAP}+" if number > CAP else str(number)
