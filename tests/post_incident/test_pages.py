import json
from http import HTTPStatus

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents import actions as incidents
from incidents.models import State as Stage
from incidents.post_incident import actions, content
from incidents.post_incident.models import Finding, Review
from incidents.post_incident.states import State
from irapp.accounts.models import RoleCode
from irapp.audit.models import Event
from tests.incidents.factories import make_commander, make_incident, make_responder
from tests.irapp.factories import make_user
from tests.post_incident.factories import fresh, make_auditor, make_finding, make_review, write

pytestmark = pytest.mark.django_db


def at(review, what=""):
    return f"/post-incident/incidents/{review.incident_id}/{what}"


@pytest.fixture
def commander(client):
    person = make_commander()
    client.force_login(person)
    return person


def test_the_whole_way_from_the_first_word_to_the_signature(client, commander):
    incident = make_incident(state=Stage.POST_INCIDENT, commander=commander)
    path = f"/post-incident/incidents/{incident.pk}/"
    assert "Begin the review" in client.get(path).content.decode()

    client.post(f"{path}begin/")
    texts = {"summary": "Replies **drifted**.", "revision": 1, "went_well": "Fast."}
    assert client.post(f"{path}edit/", texts).status_code == HTTPStatus.FOUND
    client.post(f"{path}findings/add/", {"title": "No alarm", "root_cause": "on"})
    finding = Finding.objects.get()
    client.post(f"/post-incident/findings/{finding.pk}/", {"changed": "DETECTOR", "words": "Alarm at 40"})
    client.post(f"{path}submit/")
    client.force_login(make_auditor())
    page = client.get(path)
    assert "<strong>drifted</strong>" in page.content.decode()
    client.post(f"{path}sign/", {"digest": page.context["page"].submission.digest})

    assert Review.objects.get().state == State.SIGNED


@pytest.mark.parametrize("role", RoleCode)
def test_everybody_with_a_role_reads_a_review(client, role):
    review = make_review(state=State.IN_REVIEW)
    client.force_login(make_user(role))

    assert client.get(at(review)).status_code == HTTPStatus.OK


def test_a_restricted_incident_keeps_its_review_to_itself(client):
    commander = make_commander()
    incident = make_incident(state=Stage.POST_INCIDENT, commander=commander)
    actions.begin(incident_id=incident.pk, by=commander)
    incidents.restrict(incident_id=incident.pk, restricted=True, reason="Victims.", by=commander)
    client.force_login(make_responder())

    assert client.get(f"/post-incident/incidents/{incident.pk}/").status_code == HTTPStatus.NOT_FOUND


def test_an_auditor_writes_nothing(client):
    review = make_review()
    client.force_login(make_auditor())

    for path in ("edit/", "submit/", "findings/add/", "begin/"):
        answer = client.post(at(review, path), {"title": "Mine", "summary": "Mine", "revision": 1})
        assert answer.status_code == HTTPStatus.FORBIDDEN, path
    assert not Finding.objects.exists()


def test_a_stale_edit_shows_both_versions_and_keeps_what_was_written(client, commander):
    review = make_review(by=commander)
    write(review, by=commander, summary="Somebody was faster.")

    answer = client.post(at(review, "edit/"), {"summary": "My long text.", "revision": 1})

    assert answer.status_code == HTTPStatus.CONFLICT
    assert "Somebody was faster." in answer.content.decode()
    assert "My long text." in answer.content.decode()
    assert fresh(review).summary == "Somebody was faster."


@pytest.mark.parametrize(
    ("path", "data", "field"),
    [
        ("findings/add/", {"title": ""}, "title"),
        ("follow-ups/add/", {"title": "x", "owner_id": "999999", "due_at": "2030-01-01T00:00"}, "owner_id"),
        ("follow-ups/add/", {"title": "x", "owner_id": "1", "due_at": "tomorrow"}, "due_at"),
        ("edit/", {"summary": "", "revision": 1}, "summary"),
        ("edit/", {"summary": "a\x00b", "revision": 1}, "summary"),
    ],
)
def test_bad_input_is_named_at_its_field(client, commander, path, data, field):
    review = make_review(by=commander)

    answer = client.post(at(review, path), data)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    forms = [value for context in answer.context for layer in context for value in layer.values()]
    assert any(field in getattr(form, "errors", {}) for form in forms)


def test_signing_what_has_changed_meanwhile_is_refused(client):
    commander = make_commander()
    review = make_review(state=State.IN_REVIEW, by=commander)
    old = review.submissions.first().digest
    write(review, by=commander, summary="Other words.")
    actions.submit(incident_id=review.incident_id, by=commander)
    client.force_login(make_auditor())

    answer = client.post(at(review, "sign/"), {"digest": old})

    assert answer.status_code == HTTPStatus.CONFLICT
    assert fresh(review).state == State.IN_REVIEW


def test_the_json_export_carries_exactly_what_was_signed(client):
    review = make_review(state=State.SIGNED)
    client.force_login(make_auditor())

    taken = json.loads(client.get(at(review, "report.json")).content)

    assert content.digest(content.canonical(taken["report"])) == taken["digest"]
    assert taken["signatures"][0]["digest"] == taken["digest"]
    assert Event.objects.filter(verb="review.exported").count() == 1


def test_the_markdown_export_tells_the_findings(client, commander):
    review = make_review(by=commander)
    make_finding(review, by=commander, title="No alarm & no limit")

    text = client.get(at(review, "report.md")).content.decode()

    assert "- No alarm & no limit: open" in text


def test_the_page_asks_the_same_questions_for_many_findings_as_for_few(
    client, commander, django_assert_num_queries
):
    review = make_review(by=commander)
    make_finding(review, by=commander)

    with CaptureQueriesContext(connection) as few:
        client.get(at(review))
    for number in range(8):
        make_finding(review, by=commander, title=f"Lesson {number}")

    with django_assert_num_queries(len(few)):
        client.get(at(review))
