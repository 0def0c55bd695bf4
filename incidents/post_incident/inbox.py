"""What post-incident puts into inboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from incidents import inbox
from incidents.inbox import InboxItem
from incidents.models import Incident
from incidents.post_incident.models import FollowUp, Review
from irapp.accounts.models import RoleCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from irapp.accounts.models import User


def awaiting_signature(user: User) -> Iterator[InboxItem]:
    """Reviews that an auditor can sign."""
    if not user.has_role(RoleCode.AUDITOR):
        return
    waiting = Review.objects.awaiting_signature(user).select_related("incident", "submitted_by")
    for review in waiting.order_by("pk")[: inbox.CAP]:
        title, detail = f"Review of {review.incident.title}", f"Submitted by {review.submitted_by}"
        url = review.get_absolute_url()
        yield InboxItem("Signature", title, detail, url, None, 1, review.incident.reference)


def my_follow_ups(user: User) -> Iterator[InboxItem]:
    """What somebody promised to do after an incident."""
    mine = FollowUp.objects.filter(owner=user, done_at=None).select_related("review__incident")
    visible = mine.filter(review__incident__in=Incident.objects.visible_to(user))
    now = timezone.now()
    for each in visible[: inbox.CAP]:
        incident, late = each.review.incident, each.due_at < now
        url = f"{each.review.get_absolute_url()}#follow-ups"
        yield InboxItem(
            "Follow-up", each.title, incident.title, url, each.due_at, 0 if late else 2, incident.reference
        )


def register() -> None:
    """Register the sources."""
    inbox.register(awaiting_signature)
    inbox.register(my_follow_ups)
