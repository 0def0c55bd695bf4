"""What signals put into the queue and into inboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from incidents import inbox, queue
from incidents.inbox import InboxItem
from incidents.monitoring.models import SignalGroup
from incidents.monitoring.policies import TRIAGERS
from incidents.monitoring.states import State
from incidents.queue import Row, Tab
from incidents.selectors.queue import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from irapp.accounts.models import User


def mine(user: User) -> list[Row]:
    """For those who triage: what nobody has looked at, and what they are looking at themselves."""
    if not user.has_role(*TRIAGERS):
        return []
    seen = SignalGroup.objects.visible_to(user)
    # Two parts, each read from its own index; OR would read all that were ever new.
    parts = [seen.new(), seen.filter(state=State.ACKNOWLEDGED, acknowledged_by=user)]
    keys = parts[0].urgent_first().values("pk")[: queue.CAP].union(parts[1].values("pk")[: queue.CAP])
    return _rows(SignalGroup.objects.filter(pk__in=keys))


def of_others(user: User) -> list[Row]:
    """What somebody else is looking at."""
    seen = SignalGroup.objects.visible_to(user).filter(state=State.ACKNOWLEDGED)
    return _rows(seen.exclude(acknowledged_by=user) if user.has_role(*TRIAGERS) else seen)


def arrived(user: User) -> list[Row]:
    """For those who only read: what nobody has looked at."""
    return [] if user.has_role(*TRIAGERS) else _rows(SignalGroup.objects.visible_to(user).new())


def unacknowledged(user: User) -> Iterator[InboxItem]:
    """Signals that wait for somebody to look, with the time by which somebody should have."""
    if not user.has_role(*TRIAGERS):
        return
    now = timezone.now()
    for group in SignalGroup.objects.visible_to(user).new().urgent_first()[: inbox.CAP]:
        due = group.waiting_since + PATIENCE[group.severity]
        detail = " · ".join(part for part in (group.reference, group.model_name, told(group.count)) if part)
        urgency = 0 if due < now or group.severity == "CRITICAL" else 1
        yield InboxItem("Signal", group.title, detail, group.get_absolute_url(), due, urgency)


def told(count: int) -> str:
    """Say how many signals."""
    return "1 signal" if count == 1 else f"{count} signals"


def register() -> None:
    """Register rows and items."""
    queue.register("signals", "Incoming signals", (Tab.MINE, Tab.WAITING, Tab.ALL), mine)
    queue.register("arrived-signals", "Incoming signals", (Tab.WAITING, Tab.ALL), arrived)
    queue.register("watched-signals", "Signals being looked at", (Tab.PROGRESS, Tab.ALL), of_others)
    inbox.register(unacknowledged)


def _rows(groups: Iterable[SignalGroup]) -> list[Row]:
    now = timezone.now()
    found = groups.select_related("acknowledged_by").urgent_first()[: queue.CAP]  # type: ignore[attr-defined]
    return [_row(group, now=now) for group in found]


def _row(group: SignalGroup, *, now: datetime) -> Row:
    return Row(
        reference=group.reference,
        title=group.title,
        url=group.get_absolute_url(),
        since=group.waiting_since,
        severity=group.severity,
        state=group.state,
        state_label=group.get_state_display(),
        detail=told(group.count),
        who=str(group.acknowledged_by or ""),
        model_name=group.model_name,
        old=now - group.waiting_since > PATIENCE[group.severity],
    )
