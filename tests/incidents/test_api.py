"""Incidents over the API: scopes, strict input, revisions, problems with stable codes."""

from http import HTTPStatus

import pytest

from incidents.models import Incident, State
from irapp.accounts.models import RoleCode, Scope
from tests.incidents.factories import make_commander, make_incident, make_responder
from tests.irapp.factories import make_token, make_user

pytestmark = pytest.mark.django_db
INCIDENTS = "/api/v1/incidents/"
READ, WRITE = Scope.INCIDENTS_READ, Scope.INCIDENTS_WRITE


@pytest.fixture
def call(client):
    """Call as somebody, with a token of the given scopes."""

    def send(method, path, *, by, scopes=(READ, WRITE), **rest):
        headers = {"Authorization": f"Bearer {make_token(by, *scopes)}"} | rest.pop("headers", {})
        if "data" in rest:
            rest["content_type"] = "application/json"
        return getattr(client, method)(path, headers=headers, **rest)

    return send


def test_an_incident_is_opened_read_and_changed(call):
    responder = make_responder()

    opened = call("post", INCIDENTS, by=responder, data={"title": "Odd posts", "severity": "HIGH"})
    assert opened.status_code == HTTPStatus.CREATED, opened.content
    url = f"{INCIDENTS}{opened.json()['id']}/"
    assert opened["Location"].endswith(url)
    assert opened["ETag"] == '"1"'

    changed = call("patch", url, by=responder, data={"title": "Hateful posts"}, headers={"If-Match": '"1"'})
    assert changed.status_code == HTTPStatus.OK
    assert (changed.json()["title"], changed["ETag"]) == ("Hateful posts", '"2"')

    stale = call("patch", url, by=responder, data={"title": "Mine"}, headers={"If-Match": '"1"'})
    assert stale.status_code == HTTPStatus.CONFLICT
    assert stale.json()["code"] == "stale_revision"


def test_an_incident_that_is_opened_again_with_its_key_is_opened_once(call):
    responder, key = make_responder(), {"Idempotency-Key": "night-shift-1"}

    first = call("post", INCIDENTS, by=responder, data={"title": "Odd posts"}, headers=key)
    second = call("post", INCIDENTS, by=responder, data={"title": "Odd posts"}, headers=key)
    other = call("post", INCIDENTS, by=responder, data={"title": "Other posts"}, headers=key)

    assert first.json() == second.json()
    assert Incident.objects.count() == 1
    assert other.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.mark.parametrize(
    ("scopes", "read", "write"),
    [((), False, False), ((READ,), True, False), ((WRITE,), False, True), ((READ, WRITE), True, True)],
)
def test_a_token_does_only_what_its_scopes_say(call, scopes, read, write):
    responder = make_responder()

    listed = call("get", INCIDENTS, by=responder, scopes=scopes)
    opened = call("post", INCIDENTS, by=responder, scopes=scopes, data={"title": "T"})

    assert (listed.status_code == HTTPStatus.OK) == read
    assert (opened.status_code == HTTPStatus.CREATED) == write


def test_a_token_never_does_more_than_its_account(call):
    incident = make_incident()

    refused = call(
        "post",
        f"{INCIDENTS}{incident.pk}/move/",
        by=make_responder(),
        data={"move": "dismiss", "reason": "No"},
    )

    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert refused.json()["code"] == "role_missing"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"titel": "T"}, "titel"),
        ({"title": ""}, "title"),
        ({"title": "T", "severity": "HORRIBLE"}, "severity"),
        ({"title": "T", "state": "CLOSED"}, "state"),
        ({"title": ["T"]}, "title"),
        ({"title": "a\x00b"}, "title"),
    ],
)
def test_input_that_is_wrong_or_unknown_is_refused_by_field(call, body, field):
    answer = call("post", INCIDENTS, by=make_responder(), data=body)

    assert answer.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
    assert field in answer.content.decode()
    assert not Incident.objects.exists()


def test_a_move_with_something_missing_lists_it_and_an_override_goes_on(call):
    commander = make_commander()
    incident = make_incident(commander=commander)
    url = f"{INCIDENTS}{incident.pk}/move/"

    refused = call("post", url, by=commander, data={"move": "begin_monitoring"})
    assert refused.status_code == HTTPStatus.CONFLICT
    assert refused.json()["code"] == "conditions_unmet"
    assert "severity" in {one["code"] for one in refused.json()["details"]["missing"]}

    data = {"move": "begin_monitoring", "override": True, "reason": "It spreads"}
    moved = call("post", url, by=commander, data=data)
    assert moved.json()["state"] == State.MONITORING


def test_the_detail_says_what_the_next_move_asks_for(call):
    incident = make_incident()

    body = call("get", f"{INCIDENTS}{incident.pk}/", by=make_responder()).json()

    assert body["next_move"] == "begin_monitoring"
    assert {one["code"]: one["met"] for one in body["conditions"]}["severity"] is False


def test_what_a_caller_may_not_see_does_not_exist(call):
    hidden = make_incident(restricted=True)
    stranger = make_responder()

    assert call("get", f"{INCIDENTS}{hidden.pk}/", by=stranger).status_code == HTTPStatus.NOT_FOUND
    assert call("get", INCIDENTS, by=stranger).json()["results"] == []
    assert (
        call("get", f"{INCIDENTS}{hidden.pk}/", by=make_user(RoleCode.AUDITOR)).status_code == HTTPStatus.OK
    )


@pytest.mark.parametrize("key", ["0", "x", "99999999999999999999", "²"])
def test_an_odd_key_is_not_found(call, key):
    assert call("get", f"{INCIDENTS}{key}/", by=make_responder()).status_code == HTTPStatus.NOT_FOUND


def test_the_list_is_narrowed_and_paged(call):
    reader = make_responder()
    for number in range(3):
        make_incident(title=f"Drift {number}", severity="LOW")
    make_incident(title="Other", severity="HIGH")

    narrowed = call("get", f"{INCIDENTS}?q=drift&severity=LOW&page_size=2", by=reader).json()
    assert [row["title"] for row in narrowed["results"]] == ["Drift 2", "Drift 1"]
    assert narrowed["next"]

    wrong = call("get", f"{INCIDENTS}?severity=HORRIBLE", by=reader)
    assert wrong.status_code == HTTPStatus.BAD_REQUEST


def test_a_note_is_written(call):
    incident = make_incident()

    written = call(
        "post",
        f"{INCIDENTS}{incident.pk}/notes/",
        by=make_responder(),
        data={"body": "Seen twice", "kind": "ASSESSMENT"},
    )

    assert written.status_code == HTTPStatus.CREATED
    assert incident.notes.get().kind == "ASSESSMENT"


def test_a_bad_if_match_is_refused(call):
    incident = make_incident()

    answer = call(
        "patch",
        f"{INCIDENTS}{incident.pk}/",
        by=make_responder(),
        data={"title": "T"},
        headers={"If-Match": "one"},
    )

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert answer.json()["code"] == "bad_if_match"


def test_the_list_asks_the_same_questions_for_ten_as_for_one(call, django_assert_max_num_queries):
    reader = make_responder()
    for _ in range(10):
        make_incident()

    with django_assert_max_num_queries(8):  # the token made here, token, account, roles, incidents
        call("get", INCIDENTS, by=reader)
