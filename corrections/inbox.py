"""What corrections put into inboxes: decisions, alarms, and what has to be looked at again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from corrections import policies
from corrections.models import Alarm, Correction, Proposal
from corrections.selectors.decisions import standing
from incidents import inbox
from incidents.inbox import InboxItem
from irapp.accounts.models import RoleCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from irapp.accounts.models import User


def decisions(user: User) -> Iterator[InboxItem]:
    """Proposals that this person can still vote on."""
    waiting = Proposal.objects.awaiting(user, now=timezone.now())
    for proposal in waiting.select_related("correction__package__incident", "proposer").order_by("decide_by")[
        : inbox.CAP
    ]:
        yield InboxItem(
            "Decision",
            f"{proposal}: {proposal.correction.package.title}",
            f"Proposed by {proposal.proposer}; {standing(proposal).missing}",
            proposal.get_absolute_url(),
            proposal.decide_by,
            0,
            str(proposal.correction.package.incident),
        )


def alarms(user: User) -> Iterator[InboxItem]:
    """Open alarms: those that nobody looks after for all who are told, the others for whoever does."""
    if not user.has_role(*policies.ALERTED):
        return
    found = Alarm.objects.open().visible_to(user).select_related("gateway", "hub", "acknowledged_by")
    for alarm in found.select_related("correction__package__incident")[: inbox.CAP]:
        mine = alarm.acknowledged_by_id == user.pk
        if alarm.acknowledged_at is None or mine or user.has_role(RoleCode.COMMANDER):
            yield _alarm(alarm)


def reviews(user: User) -> Iterator[InboxItem]:
    """Corrections that somebody promised to look at again, for commanders."""
    if not user.has_role(RoleCode.COMMANDER):
        return
    due = Correction.objects.visible_to(user).due_for_review(now=timezone.now())
    for correction in due.select_related("package__incident")[: inbox.CAP]:
        yield InboxItem(
            "Review",
            f"{correction}: {correction.package.title}",
            "The date on which somebody promised to look again.",
            correction.get_absolute_url(),
            correction.review_at,
            1,
            str(correction.package.incident),
        )


def register() -> None:
    """Register the sources of this floor."""
    inbox.register(decisions)
    inbox.register(alarms)
    inbox.register(reviews)


def _alarm(alarm: Alarm) -> InboxItem:
    seen = f"{alarm.acknowledged_by} looks after it. " if alarm.acknowledged_at else ""
    incident = str(alarm.correction.package.incident) if alarm.correction else ""
    return InboxItem(
        "Alarm, seen" if alarm.acknowledged_at else "Alarm",
        str(alarm),
        f"{seen}{alarm.detail}",
        alarm.get_absolute_url(),
        None,
        1 if alarm.acknowledged_at else 0,
        incident,
    )
