"""The same truth for machines, and no more than a person may see."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from corrections.models import Alarm
from corrections.publishing import alarms, hubs, traffic
from corrections.states import State
from incidents import actions as incidents
from irapp.accounts.models import ApiToken, Scope
from tests.corrections.factories import make_commander, make_correction, make_officer
from tests.corrections.truth.said import refused
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db


def signed_in(person):
    client = APIClient()
    client.force_authenticate(person)
    return client


def with_token(person, *scopes):
    _, token = ApiToken.objects.create(user=person, label="t", scopes=list(scopes))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


@pytest.fixture
def silent(clock):
    make_correction()
    clock.shift(timedelta(seconds=6))
    hubs.note_policy("http://hub.example", None, now=timezone.now())
    alarms.settle(now=timezone.now())
    return Alarm.objects.get(kind="SILENCE")


def test_the_picture_of_the_moment(clock):
    correction = make_correction()
    hubs.note_error("http://hub.example", "refused", now=timezone.now())

    seen = signed_in(make_commander()).get("/api/v1/enforcement/").json()

    assert (seen["policy"]["version"], seen["services"][0]["why"]) == (1, "refused")
    (gateway,), (line,) = seen["gateways"], seen["corrections"]
    assert (gateway["gateway"], gateway["wanted"], gateway["acknowledged"], gateway["why"]) == (
        "gateway-1",
        1,
        1,
        "",
    )
    assert (line["correction"], line["state"]) == (str(correction), State.ACTIVE)
    assert [line[name] for name in ("services", "delivered", "gateways", "acknowledged", "observed")] == [
        1,
        0,
        1,
        1,
        1,
    ]
    assert line["lagging"] == []


def test_a_restricted_correction_is_left_out():
    correction = make_correction()
    incident, hidden = correction.package.incident, {"restricted": True, "reason": "Need to know."}
    incidents.restrict(incident_id=incident.pk, by=incident.commander, **hidden)

    assert signed_in(make_officer()).get("/api/v1/enforcement/").json()["corrections"] == []
    answered = signed_in(make_officer()).get(f"/api/v1/refusals/{correction.pk}/")
    assert answered.status_code == HTTPStatus.NOT_FOUND


def test_alarms_are_listed_narrowed_and_read(silent):
    client = signed_in(make_commander())

    listed = client.get("/api/v1/alarms/", {"open": "true", "kind": "SILENCE"}).json()["results"]

    assert [(each["kind"], each["about"], each["cleared_at"]) for each in listed] == [
        ("SILENCE", "gateway-1", None)
    ]
    assert client.get("/api/v1/alarms/", {"open": "false"}).json()["results"] == []
    assert client.get(f"/api/v1/alarms/{silent.pk}/").json()["acknowledged_by"] is None
    assert client.get("/api/v1/alarms/", {"colour": "red"}).status_code == HTTPStatus.BAD_REQUEST


def test_a_person_acknowledges_and_a_token_cannot(silent):
    officer, path = make_officer(), f"/api/v1/alarms/{silent.pk}/acknowledge/"
    every = list(Scope.values)
    assert with_token(officer, *every).post(path, {}, format="json").status_code == HTTPStatus.FORBIDDEN

    answered = signed_in(officer).post(path, {"note": "Looking."}, format="json")

    assert answered.status_code == HTTPStatus.OK
    assert (answered.json()["acknowledged_by"], answered.json()["note"]) == (officer.username, "Looking.")
    again = signed_in(make_commander()).post(path, {}, format="json")
    assert (again.status_code, again.json()["code"]) == (HTTPStatus.CONFLICT, "already_acknowledged")


def test_who_is_not_told_cannot_acknowledge(silent):
    path = f"/api/v1/alarms/{silent.pk}/acknowledge/"

    answered = signed_in(make_user("AUDITOR")).post(path, {}, format="json")

    assert answered.status_code == HTTPStatus.FORBIDDEN


def test_a_token_reads_with_the_scope_and_not_without():
    person = make_commander()

    for path in ("/api/v1/enforcement/", "/api/v1/alarms/"):
        assert with_token(person, Scope.CORRECTIONS_READ).get(path).status_code == HTTPStatus.OK
        assert with_token(person, Scope.EVENTS_READ).get(path).status_code == HTTPStatus.FORBIDDEN


def test_what_a_correction_did_over_time():
    correction = make_correction()
    traffic.take_in([refused(correction), refused(correction, user="bob")], now=timezone.now())
    client = signed_in(make_commander())

    said = client.get(f"/api/v1/refusals/{correction.pk}/", {"window": "hour"}).json()

    assert (said["total"]["refused"], said["total"]["users"], said["seconds"]) == (2, 2, 60)
    assert sum(column["refused"] for column in said["columns"]) == 2
    wrong = client.get(f"/api/v1/refusals/{correction.pk}/", {"window": "year"})
    assert wrong.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}


def test_they_stand_in_the_schema():
    schema = signed_in(make_commander()).get("/api/v1/schema/?format=json").json()

    assert {"/api/v1/enforcement/", "/api/v1/alarms/{id}/acknowledge/", "/api/v1/refusals/{id}/"} <= set(
        schema["paths"]
    )
