"""Who writes, who signs, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incidents.policies import WORKERS, check_can_see, check_role
from incidents.post_incident.states import State
from incidents.states import State as Stage
from irapp.accounts.models import RoleCode
from irapp.common.errors import ConflictError, NotPermittedError

if TYPE_CHECKING:
    from incidents.models import Incident
    from incidents.post_incident.models import FollowUp, Review
    from irapp.accounts.models import User


def check_can_write(incident: Incident, user: User) -> None:
    """A review is written while the incident is in post-incident; afterwards it stays as it was signed."""
    check_can_see(incident, user)
    check_role(user, WORKERS, "write the review")
    if incident.state != Stage.POST_INCIDENT:
        raise ConflictError(
            f"{incident} is in {incident.get_state_display().lower()}; reviews are written in post-incident.",
            code="wrong_stage",
        )


def check_can_waive(incident: Incident, user: User) -> None:
    """Leaving a finding without consequence is the commander's or a decision-maker's word (framework R-5)."""
    check_can_see(incident, user)
    roles = (RoleCode.COMMANDER, RoleCode.DUTY_OFFICER, RoleCode.EXECUTIVE)
    check_role(user, roles, "waive a finding")
    if incident.state != Stage.POST_INCIDENT:
        raise ConflictError(f"{incident} is not in post-incident.", code="wrong_stage")


def check_can_submit(review: Review, user: User) -> None:
    """What is put before auditors says at least what happened."""
    check_can_write(review.incident, user)
    if review.state != State.DRAFT:
        raise ConflictError("The review has been submitted already.", code="not_draft")
    if not review.summary:
        raise ConflictError("Write the summary first.", code="summary_missing")


def check_can_sign(review: Review, user: User) -> None:
    """Independent auditors sign. It is the one change that an auditor makes."""
    check_can_see(review.incident, user)
    check_role(user, (RoleCode.AUDITOR,), "sign a review")
    if review.state != State.IN_REVIEW:
        raise ConflictError(
            "Only a review that was submitted, and not signed yet, can be signed.", code="not_in_review"
        )
    if user.person in {review.author.person, review.submitted_by.person if review.submitted_by else None}:
        raise NotPermittedError("Whoever wrote or submitted a review does not sign it.", code="own_review")


def check_can_return(review: Review, user: User) -> None:
    """An auditor who would not sign gives it back with comments; an author may take it back."""
    check_can_see(review.incident, user)
    check_role(user, (RoleCode.AUDITOR, *WORKERS), "return a review")
    if review.state != State.IN_REVIEW:
        raise ConflictError("Only a submitted review can be returned.", code="not_in_review")


def check_can_finish(follow_up: FollowUp, user: User) -> None:
    """Its owner, or whoever works on incidents, ends a follow-up; that may be long after closing."""
    check_can_see(follow_up.review.incident, user)
    if follow_up.owner_id != user.pk:
        check_role(user, WORKERS, "finish a follow-up of somebody else")
    if follow_up.done_at is not None:
        raise ConflictError(f"It was finished by {follow_up.done_by}.", code="already_done")
