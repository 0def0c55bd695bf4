import json
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from incidents import actions as incidents
from incidents import gates, inbox
from incidents.models import Incident
from incidents.models import State as Stage
from incidents.post_incident import actions, content
from incidents.post_incident.models import Signature, Submission
from incidents.post_incident.states import State
from irapp.accounts.models import RoleCode
from irapp.audit.models import Event
from irapp.common.errors import ConflictError, InvalidError, NotPermittedError
from tests.incidents.factories import make_commander, make_incident, make_ready
from tests.irapp.factories import make_user
from tests.post_incident.factories import (
    fresh,
    make_auditor,
    make_finding,
    make_follow_up,
    make_review,
    write,
)

pytestmark = pytest.mark.django_db


def unmet(incident_id):
    incident = Incident.objects.get(pk=incident_id)
    return {each.code for each in gates.conditions(incident, "close") if not each.met}


def test_a_review_is_written_submitted_and_signed_on_exact_content():
    commander, auditor = make_commander(), make_auditor()
    review = make_review(by=commander)
    write(review, by=commander, summary="What happened.")

    submission = actions.submit(incident_id=review.incident_id, by=commander)
    signature = actions.sign(
        incident_id=review.incident_id, digest=submission.digest, by=auditor, comment="Complete."
    )

    assert fresh(review).state == State.SIGNED
    assert signature.digest == submission.digest == content.digest(bytes(submission.content))
    assert json.loads(bytes(submission.content))["summary"] == "What happened."
    verbs = Event.objects.filter(incident_id=review.incident_id).values_list("verb", flat=True)
    assert {"review.begun", "review.edited", "review.submitted", "review.signed"} <= set(verbs)


def test_beginning_twice_takes_up_the_same_review():
    commander = make_commander()
    review = make_review(by=commander)

    assert actions.begin(incident_id=review.incident_id, by=make_commander()).pk == review.pk
    assert Event.objects.filter(verb="review.begun").count() == 1


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (RoleCode.RESPONDER, True),
        (RoleCode.COMMANDER, True),
        (RoleCode.DUTY_OFFICER, False),
        (RoleCode.EXECUTIVE, False),
        (RoleCode.COMMUNICATOR, False),
        (RoleCode.AUDITOR, False),
        (RoleCode.ADMINISTRATOR, False),
    ],
)
def test_who_writes_a_review(role, may):
    review = make_review()

    try:
        write(review, by=make_user(role), summary="Mine.")
    except NotPermittedError:
        assert not may
    else:
        assert may


@pytest.mark.parametrize("role", [role for role in RoleCode if role != RoleCode.AUDITOR])
def test_only_auditors_sign(role):
    review = make_review(state=State.IN_REVIEW)
    digest = review.submissions.first().digest

    with pytest.raises(NotPermittedError, match="auditor"):
        actions.sign(incident_id=review.incident_id, digest=digest, by=make_user(role))


def test_whoever_wrote_a_review_does_not_sign_it_with_another_account():
    commander = make_commander()
    review = make_review(state=State.IN_REVIEW, by=commander)
    twin = make_auditor(person=commander.person)

    with pytest.raises(NotPermittedError, match="wrote or submitted"):
        actions.sign(incident_id=review.incident_id, digest=review.submissions.first().digest, by=twin)


def test_a_signature_counts_for_the_digest_that_was_shown_and_no_other():
    review = make_review(state=State.IN_REVIEW)

    with pytest.raises(ConflictError, match="Read it again") as refusal:
        actions.sign(incident_id=review.incident_id, digest="sha256:" + "0" * 64, by=make_auditor())

    assert refusal.value.code == "digest_mismatch"
    assert not Signature.objects.exists()


def test_an_edit_voids_the_signature_and_both_versions_stay():
    commander = make_commander()
    review = make_review(state=State.SIGNED, by=commander)

    write(review, by=commander, summary="Other words.")
    actions.submit(incident_id=review.incident_id, by=commander)

    assert fresh(review).state == State.IN_REVIEW
    first, second = Submission.objects.order_by("number")
    assert first.digest != second.digest
    assert first.signatures.count() == 1
    assert not second.signatures.exists()


@pytest.mark.parametrize("change", [make_finding, make_follow_up])
def test_findings_and_follow_ups_are_part_of_what_is_signed(change):
    commander = make_commander()
    review = make_review(state=State.SIGNED, by=commander)

    change(review, by=commander)

    assert fresh(review).state == State.DRAFT
    assert Event.objects.filter(verb="review.voided").count() == 1


def test_a_stale_edit_is_refused_and_nothing_is_lost():
    commander = make_commander()
    review = make_review(by=commander)
    write(review, by=commander, summary="First.")

    with pytest.raises(ConflictError) as refusal:
        actions.edit(incident_id=review.incident_id, revision=1, by=commander, summary="Second.")

    assert refusal.value.code == "stale_revision"
    assert fresh(review).summary == "First."


def test_a_review_without_a_summary_is_not_submitted():
    commander = make_commander()
    review = make_review(by=commander)

    with pytest.raises(ConflictError, match="summary"):
        actions.submit(incident_id=review.incident_id, by=commander)


def test_an_auditor_returns_a_review_with_comments():
    review = make_review(state=State.IN_REVIEW)

    actions.return_to_draft(incident_id=review.incident_id, reason="Whom did it touch?", by=make_auditor())

    assert fresh(review).state == State.DRAFT
    assert Event.objects.get(verb="review.returned").data["reason"] == "Whom did it touch?"


@pytest.mark.parametrize("rows", [Submission, Signature])
@pytest.mark.parametrize("statement", ["UPDATE {} SET digest = digest", "DELETE FROM {}"])
def test_what_was_submitted_or_signed_cannot_be_changed_in_the_database(rows, statement):
    make_review(state=State.SIGNED)

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(rows._meta.db_table))


def test_closing_asks_for_a_signed_review_and_settled_findings():
    commander, auditor = make_commander(), make_auditor()
    incident = make_incident(state=Stage.POST_INCIDENT, commander=commander)
    assert {"review"} <= unmet(incident.pk)

    review = actions.begin(incident_id=incident.pk, by=commander)
    write(review, by=commander, summary="What happened.")
    finding = make_finding(review, by=commander)
    assert {"review", "findings"} <= unmet(incident.pk)

    actions.link_finding(finding_id=finding.pk, changed="DETECTOR", change="Alarm at 40 turns", by=commander)
    submission = actions.submit(incident_id=incident.pk, by=commander)
    actions.sign(incident_id=incident.pk, digest=submission.digest, by=auditor)
    make_ready(incident.pk, "close", by=commander)
    incidents.move(incident_id=incident.pk, move="close", by=commander, reason="Done.")

    assert Incident.objects.get(pk=incident.pk).state == Stage.CLOSED


def test_a_review_that_was_signed_before_a_recurrence_does_not_close_the_incident():
    commander = make_commander()
    review = make_review(state=State.SIGNED, by=commander)
    assert "review" not in unmet(review.incident_id)

    incidents.move(incident_id=review.incident_id, move="recur", by=commander, reason="It is back.")
    incidents.move(incident_id=review.incident_id, move="begin_post_incident", by=commander, reason="Over.")

    assert "review" in unmet(review.incident_id)


def test_an_incident_does_not_close_around_its_review_even_with_an_override():
    commander = make_commander()
    incident = make_incident(state=Stage.POST_INCIDENT, commander=commander)

    with pytest.raises(ConflictError):
        incidents.move(incident_id=incident.pk, move="close", by=commander, reason="Now.", override=True)


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (RoleCode.COMMANDER, True),
        (RoleCode.EXECUTIVE, True),
        (RoleCode.RESPONDER, False),
        (RoleCode.AUDITOR, False),
    ],
)
def test_who_waives_a_finding(role, may):
    commander = make_commander()
    review = make_review(by=commander)
    finding = make_finding(review, by=commander)

    try:
        actions.waive_finding(finding_id=finding.pk, reason="Covered elsewhere.", by=make_user(role))
    except NotPermittedError:
        assert not may
    else:
        assert may


def test_a_finding_that_is_taken_back_stays_in_the_record():
    commander = make_commander()
    review = make_review(by=commander)
    finding = make_finding(review, by=commander, title="Wrong lesson")

    actions.remove_finding(finding_id=finding.pk, by=commander)

    assert Event.objects.get(verb="finding.removed").data["title"] == "Wrong lesson"


def test_a_follow_up_has_an_owner_who_finishes_it_after_signing_without_voiding_anything():
    commander, owner = make_commander(), make_user(RoleCode.COMMUNICATOR)
    review = make_review(by=commander)
    follow_up = make_follow_up(review, by=commander, owner=owner)
    write(review, by=commander, summary="What happened.")
    submission = actions.submit(incident_id=review.incident_id, by=commander)
    actions.sign(incident_id=review.incident_id, digest=submission.digest, by=make_auditor())

    actions.finish_follow_up(follow_up_id=follow_up.pk, by=owner)

    assert fresh(review).state == State.SIGNED
    with pytest.raises(ConflictError, match="finished by"):
        actions.finish_follow_up(follow_up_id=follow_up.pk, by=owner)


def test_a_follow_up_is_not_due_in_the_past():
    commander = make_commander()
    review = make_review(by=commander)

    with pytest.raises(InvalidError) as refusal:
        actions.add_follow_up(
            incident_id=review.incident_id,
            title="Late",
            owner_id=commander.pk,
            due_at=timezone.now() - timedelta(minutes=1),
            by=commander,
        )

    assert refusal.value.field == "due_at"


def test_inboxes_tell_auditors_of_reviews_and_owners_of_follow_ups():
    commander, auditor = make_commander(), make_auditor()
    review = make_review(by=commander)
    make_follow_up(review, by=commander)
    write(review, by=commander, summary="What happened.")
    actions.submit(incident_id=review.incident_id, by=commander)

    assert [item.kind for item in inbox.items(auditor)] == ["Signature"]
    assert "Follow-up" in [item.kind for item in inbox.items(commander)]


def test_the_timeline_tells_the_incident_in_order_and_leaves_the_paperwork_out():
    commander = make_commander()
    review = make_review(by=commander)
    make_finding(review, by=commander)

    report = content.document(fresh(review))

    whats = [line["what"] for line in report["timeline"]]
    assert whats[0] == "Incident opened"
    assert "Execution began" in whats
    assert not [what for what in whats if "inding" in what]
    assert [line["event"] for line in report["timeline"]] == sorted(
        line["event"] for line in report["timeline"]
    )
