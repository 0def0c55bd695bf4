"""What the pages about signals show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from incidents.models import Incident
from incidents.monitoring import policies
from incidents.monitoring.states import State
from incidents.policies import why_not

if TYPE_CHECKING:
    from incidents.monitoring.models import Signal, SignalGroup
    from incidents.monitoring.querysets import SignalGroupQuerySet
    from irapp.accounts.models import User

SHOWN = 25
CANDIDATES = 8


@dataclass(frozen=True)
class GroupPage:
    """A group, its newest signals, what it may belong to, and why a person may not do something about it."""

    group: SignalGroup
    signals: list[Signal]
    more: int
    candidates: list[Incident]
    may_triage: bool
    may_acknowledge: bool
    may_open: bool
    may_close: bool
    may_link: bool
    may_reopen: bool


def group_page(group: SignalGroup, user: User) -> GroupPage:
    """Collect what the page of a group shows to this person."""
    signals = list(group.signals.select_related("source", "received_from").order_by("-pk")[:SHOWN])
    triages = not why_not(policies.check_can_triage, group, user)
    may_link = triages and group.is_unlinked
    return GroupPage(
        group=group,
        signals=signals,
        more=group.count - len(signals),
        candidates=candidates(group, user) if may_link else [],
        may_triage=triages,
        may_acknowledge=triages and group.state == State.NEW,
        may_open=triages and not why_not(policies.check_can_open_from, group, user),
        may_close=triages and group.is_unlinked,
        may_link=may_link,
        may_reopen=triages and group.state == State.CLOSED,
    )


def candidates(group: SignalGroup, user: User) -> list[Incident]:
    """Open incidents that the signals may belong to: those about the same model first, the worst first."""
    seen = Incident.objects.visible_to(user).open()
    if group.model_name:
        seen = seen.filter(model_name__in=["", group.model_name])
    return list(seen.order_by("rank", "-pk")[:CANDIDATES])


def narrowed(groups: SignalGroupQuerySet, tab: str) -> SignalGroupQuerySet:
    """Give the groups of a tab of the list."""
    if tab == "unlinked":
        return groups.unlinked()
    return groups.filter(state=tab.upper()) if tab != "all" else groups
