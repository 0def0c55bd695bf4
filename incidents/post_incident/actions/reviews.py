"""Writing, submitting and signing a review."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from incidents import actions as incidents
from incidents.actions import words
from incidents.post_incident import content, policies
from incidents.post_incident.models import Review, Signature, Submission
from incidents.post_incident.states import State
from irapp.audit.record import hint, record
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from irapp.accounts.models import User

TEXTS = ("summary", "went_well", "went_badly", "decision_quality", "harm_of_correction")


@transaction.atomic
def begin(*, incident_id: int, by: User) -> Review:
    """Begin the review of an incident; somebody else's beginning is taken up."""
    incident = incidents.locked(incident_id)
    policies.check_can_write(incident, by)
    review: Review
    review, created = Review.objects.get_or_create(incident=incident, defaults={"author": by})
    if created:
        record("review.begun", review, by=by)
    return review


@transaction.atomic
def edit(*, incident_id: int, revision: int, by: User, **texts: str) -> Review:
    """Change texts. What was submitted or signed before no longer counts; it stays in the history.

    :raises ConflictError: ``stale_revision``, where somebody else saved first.
    """
    review = locked(incident_id)
    policies.check_can_write(review.incident, by)
    if review.revision != revision:
        raise ConflictError(
            "The review was changed by somebody else in the meantime.",
            code="stale_revision",
            details={"revision": review.revision},
        )
    changed = [name for name in TEXTS if name in texts and texts[name].strip() != getattr(review, name)]
    if changed:
        for name in changed:
            setattr(review, name, words(texts[name], name, required=False))
        touch(review, by=by)
        record("review.edited", review, by=by, changed=changed, revision=review.revision)
    return review


@transaction.atomic
def submit(*, incident_id: int, by: User) -> Submission:
    """Freeze the content with the timeline as it is now, and put it before the auditors."""
    review = locked(incident_id)
    policies.check_can_submit(review, by)
    raw = content.canonical(content.document(review))
    submission = Submission.objects.create(
        review=review,
        number=review.submissions.count() + 1,
        content=raw,
        digest=content.digest(raw),
        by=by,
    )
    review.submitted_by = by
    review.submit()
    review.save()
    record("review.submitted", review, by=by, number=submission.number, digest=submission.digest)
    hint("inbox")
    return submission


@transaction.atomic
def sign(*, incident_id: int, digest: str, by: User, comment: str = "") -> Signature:
    """Put one's name to exactly the content with this digest."""
    review = locked(incident_id)
    policies.check_can_sign(review, by)
    submission = review.submissions.first()
    if submission is None or submission.digest != digest:
        raise ConflictError(
            "What you were shown is not what was submitted last. Read it again before you sign.",
            code="digest_mismatch",
        )
    signature = Signature.objects.create(
        submission=submission,
        user=by,
        person=by.person,
        digest=digest,
        comment=words(comment, "comment", required=False, most=4000),
    )
    review.sign()
    review.save()
    record("review.signed", review, by=by, digest=digest, reason=signature.comment)
    incidents.settle_skipped(review.incident, by=by)
    hint("inbox")
    return signature


@transaction.atomic
def return_to_draft(*, incident_id: int, reason: str, by: User) -> Review:
    """Give a submitted review back with comments."""
    review = locked(incident_id)
    policies.check_can_return(review, by)
    review.return_to_draft()
    review.save()
    record("review.returned", review, by=by, reason=words(reason, "reason", most=4000))
    hint("inbox")
    return review


def locked(incident_id: int) -> Review:
    """Lock the incident, then read its review: the same order as every other action."""
    incident = incidents.locked(incident_id)
    found = Review.objects.select_related("author", "submitted_by").filter(incident=incident)
    review: Review | None = found.first()
    if review is None:
        raise InvalidError("Nobody has begun the review yet.", code="no_review", field="review")
    review.incident = incident
    return review


def touch(review: Review, *, by: User) -> None:
    """Save a change of content; a review that was submitted or signed becomes a draft again."""
    if review.state != State.DRAFT:
        review.return_to_draft()
        record("review.voided", review, by=by)
    review.revision += 1
    review.save()
