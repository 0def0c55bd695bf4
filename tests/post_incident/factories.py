"""Reviews for tests, made by the real actions."""

from datetime import timedelta

from django.utils import timezone

from incidents.models import State as Stage
from incidents.post_incident import actions
from incidents.post_incident.states import State
from irapp.accounts.models import RoleCode
from tests.incidents.factories import make_commander, make_incident
from tests.irapp.factories import make_user


def make_auditor(**named):
    return make_user(RoleCode.AUDITOR, **named)


def make_review(*, state=State.DRAFT, by=None, signer=None):
    """Lead a review to ``state``."""
    by = by or make_commander()
    incident = make_incident(state=Stage.POST_INCIDENT, commander=by)
    review = actions.begin(incident_id=incident.pk, by=by)
    if state == State.DRAFT:
        return review
    review = write(review, by=by, summary="Replies drifted; turns were capped for a day.")
    submission = actions.submit(incident_id=incident.pk, by=by)
    if state == State.SIGNED:
        actions.sign(incident_id=incident.pk, digest=submission.digest, by=signer or make_auditor())
    review.refresh_from_db(fields=["revision"])
    return fresh(review)


def write(review, *, by, **texts):
    return actions.edit(incident_id=review.incident_id, revision=fresh(review).revision, by=by, **texts)


def make_finding(review, *, by, **content):
    content = {"title": "No alarm on session length"} | content
    return actions.add_finding(incident_id=review.incident_id, by=by, **content)


def make_follow_up(review, *, by, owner=None):
    due_at = timezone.now() + timedelta(days=7)
    owner = owner or by
    return actions.add_follow_up(
        incident_id=review.incident_id, title="Add the alarm", owner_id=owner.pk, due_at=due_at, by=by
    )


def fresh(review):
    return type(review).objects.select_related("incident", "author", "submitted_by").get(pk=review.pk)
