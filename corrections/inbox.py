"""What corrections put into inboxes: decisions, and what needs a commander's eye."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils import timezone

from corrections.models import Correction, Proposal
from corrections.selectors.decisions import standing
from corrections.states import IN_POLICY, State
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


def trouble(user: User) -> Iterator[InboxItem]:
    """Corrections that do not do what was decided, or that have to be looked at again, for commanders."""
    if not user.has_role(RoleCode.COMMANDER):
        return
    now = timezone.now()
    wrong = Q(state=State.FAILED) | Q(drifted_at__isnull=False) | Q(alarmed_at__isnull=False)
    due = Q(review_at__lte=now, state__in=IN_POLICY)
    live = Correction.objects.visible_to(user).filter(state__in=[*IN_POLICY, State.LIFTING])
    for correction in live.filter(wrong | due).select_related("package__incident")[: inbox.CAP]:
        kind, detail, urgency = _what(correction)
        yield InboxItem(
            kind,
            f"{correction}: {correction.package.title}",
            detail,
            correction.get_absolute_url(),
            correction.review_at if kind == "Review" else None,
            urgency,
            str(correction.package.incident),
        )


def register() -> None:
    """Register the sources of this floor."""
    inbox.register(decisions)
    inbox.register(trouble)


def _what(correction: Correction) -> tuple[str, str, int]:
    if correction.state == State.FAILED:
        return "Not enforced", correction.failure, 0
    if correction.drifted_at is not None:
        return "Drift", correction.drift, 0
    if correction.state == State.LIFTING and correction.alarmed_at is not None:
        return "Not lifted", "A gateway has not shown that it is gone.", 0
    if correction.alarmed_at is not None:
        return "Held", "Its time is over; it is held until somebody decides.", 1
    return "Review", "The date on which somebody promised to look again.", 1
