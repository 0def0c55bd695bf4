"""What is left to do after the incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from incidents.actions import words
from incidents.post_incident import policies
from incidents.post_incident.actions.reviews import locked, touch
from incidents.post_incident.models import FollowUp
from irapp.accounts.models import User
from irapp.audit.record import hint, record
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from datetime import datetime


@transaction.atomic
def add_follow_up(*, incident_id: int, title: str, owner_id: int, due_at: datetime, by: User) -> FollowUp:
    """Give somebody something to do, by a date."""
    review = locked(incident_id)
    policies.check_can_write(review.incident, by)
    owner = User.objects.filter(pk=owner_id, is_active=True).first()
    if owner is None:
        raise InvalidError("There is no such person.", field="owner_id", code="unknown_person")
    if due_at <= timezone.now():
        raise InvalidError("That moment is in the past.", field="due_at", code="past")
    follow_up = FollowUp.objects.create(
        review=review, title=words(title, "title", most=200), owner=owner, due_at=due_at, added_by=by
    )
    touch(review, by=by)
    record("follow_up.added", follow_up, by=by, owner=str(owner), due_at=due_at.isoformat())
    hint("inbox")
    return follow_up


@transaction.atomic
def finish_follow_up(*, follow_up_id: int, by: User) -> FollowUp:
    """End it. The report says what was promised, so this changes no signed content."""
    people = ("review__incident", "owner", "done_by")
    found = FollowUp.objects.select_for_update(of=("self",)).select_related(*people)
    follow_up = found.filter(pk=follow_up_id).first()
    if follow_up is None:
        raise InvalidError("There is no such follow-up.", field="follow_up", code="unknown_follow_up")
    policies.check_can_finish(follow_up, by)
    follow_up.done_at, follow_up.done_by = timezone.now(), by
    follow_up.save()
    record("follow_up.finished", follow_up, by=by)
    hint("inbox")
    return follow_up
