"""Signals over the API: scopes, repeats, strict input."""

import json
from http import HTTPStatus

import pytest

from incidents.monitoring import actions
from incidents.monitoring.models import Signal, SignalGroup
from incidents.monitoring.states import State
from irapp.accounts.models import RoleCode, Scope
from tests.incidents.factories import make_commander, make_incident, make_responder
from tests.irapp.factories import make_token, make_user
from tests.monitoring.factories import make_auditor, make_group, make_received, make_source

pytestmark = pytest.mark.django_db
SIGNALS, GROUPS = "/api/v1/signals/", "/api/v1/signal-groups/"
ODD = {"source": "report-form", "key": "k1", "title": "Odd"}


@pytest.fixture
def sender():
    return make_responder()


@pytest.fixture
def send(client, sender):
    """Send a body as it is, with a token that may write signals."""
    token = make_token(sender, Scope.SIGNALS_WRITE)

    def post(body, **headers):
        raw = body if isinstance(body, str | bytes) else json.dumps(body)
        headers = {"Authorization": f"Bearer {token}"} | {
            name.replace("_", "-"): headers[name] for name in headers
        }
        return client.post(SIGNALS, raw, content_type="application/json", headers=headers)

    return post


@pytest.fixture
def read(client):
    def get(path, by, *scopes):
        token = make_token(by, *(scopes or [Scope.INCIDENTS_READ]))
        return client.get(path, headers={"Authorization": f"Bearer {token}"})

    return get


def test_a_signal_is_created_once_and_answered_the_same_again(send):
    source = make_source()
    body = ODD | {"source": source.code, "severity": "HIGH", "model_name": "aurora", "data": {"rate": 3}}

    first, second = send(body), send(body)

    assert (first.status_code, second.status_code) == (HTTPStatus.CREATED, HTTPStatus.OK)
    assert first.content == second.content
    assert first.json()["source"] == source.code
    assert first["Location"] == second["Location"]
    assert first["Location"].endswith(f"{SIGNALS}{first.json()['id']}/")
    assert Signal.objects.count() == 1


def test_the_key_may_come_as_a_header(send):
    body = {name: value for name, value in ODD.items() if name != "key"}

    assert send(body, Idempotency_Key="night-1").status_code == HTTPStatus.CREATED
    assert send(body, Idempotency_Key="night-1").status_code == HTTPStatus.OK
    assert send(body | {"key": "night-1"}, Idempotency_Key="night-1").status_code == HTTPStatus.OK
    assert Signal.objects.get().key == "night-1"


@pytest.mark.parametrize(
    ("change", "headers"),
    [({"key": None}, {}), ({}, {"Idempotency_Key": "other"}), ({}, {"Idempotency_Key": "a b"})],
)
def test_a_missing_or_contradictory_key_is_refused(send, change, headers):
    body = {name: value for name, value in (ODD | change).items() if value is not None}

    answer = send(body, **headers)

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.json()["code"] == "invalid"
    assert not Signal.objects.exists()


def test_the_same_key_with_other_content_is_a_conflict(send):
    send(ODD)

    answer = send(ODD | {"title": "Else"})

    assert answer.status_code == HTTPStatus.CONFLICT
    assert (answer.json()["code"], answer.json()["field"]) == ("key_reused", "key")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": 5}, "title"),
        ({"title": None}, "title"),
        ({"title": ["Odd"]}, "title"),
        ({"title": True}, "title"),
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"key": 7}, "key"),
        ({"severity": "AWFUL"}, "severity"),
        ({"observed_at": "yesterday"}, "observed_at"),
        ({"observed_at": 1}, "observed_at"),
        ({"observed_at": "0001-01-01T00:00:00+14:00"}, "observed_at"),
        ({"observed_at": "2999-01-01T00:00:00Z"}, "observed_at"),
        ({"data": []}, "data"),
        ({"data": "text"}, "data"),
        ({"data": {"a": "x" * 20_000}}, "data"),
        ({"data": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": 1}}}}}}}}}}, "data"),
        ({"priority": 1}, "priority"),
        ({"source": "nobody"}, "source"),
        ({"source": {"code": "report-form"}}, "source"),
    ],
)
def test_what_is_wrong_is_named(send, change, field):
    answer = send(ODD | change)

    said = answer.json()
    assert answer.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
    assert field == said.get("field") or field in said["errors"]
    assert not Signal.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", HTTPStatus.BAD_REQUEST),
        ("{", HTTPStatus.BAD_REQUEST),
        ("[]", HTTPStatus.BAD_REQUEST),
        ("null", HTTPStatus.BAD_REQUEST),
        ('"text"', HTTPStatus.BAD_REQUEST),
        (b"\xff\xfe", HTTPStatus.BAD_REQUEST),
        ('{"source":"report-form","key":"k","title":"a\\u0000b"}', HTTPStatus.BAD_REQUEST),
        ('{"source":"report-form","key":"k","title":"\\ud800"}', HTTPStatus.BAD_REQUEST),
        ('{"source":"report-form","key":"k","title":"x","data":{"a":NaN}}', HTTPStatus.BAD_REQUEST),
        ('{"source":"report-form","key":"k","title":"x","title":"y"}', HTTPStatus.BAD_REQUEST),
        ('{"a":' * 100_000, HTTPStatus.BAD_REQUEST),
        ("x" * (2 * 1024 * 1024), HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    ],
    ids=range(12),
)
def test_hostile_bodies_are_refused_and_leave_nothing(send, body, status):
    answer = send(body)

    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert not Signal.objects.exists()


def test_numbers_of_any_size_are_kept_or_refused(send):
    kept = send(ODD | {"data": {"big": 10**300, "small": 1e-300}})
    too_big = send('{"source":"report-form","key":"k2","title":"x","data":{"a":1e999}}')
    digits = send('{"source":"report-form","key":"k3","title":"x","data":{"a":' + "9" * 5000 + "}}")

    assert kept.status_code == HTTPStatus.CREATED
    assert kept.json()["data"]["big"] == 10**300
    assert too_big.status_code == digits.status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope != Scope.SIGNALS_WRITE])
def test_other_scopes_send_nothing(client, sender, scope):
    token = make_token(sender, scope)

    answer = client.post(
        SIGNALS,
        json.dumps(ODD),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )

    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert not Signal.objects.exists()


def test_without_a_token_nothing_is_sent_or_read(client):
    for answer in (
        client.post(SIGNALS, "{}", content_type="application/json"),
        client.get(SIGNALS),
        client.get(GROUPS),
    ):
        assert answer.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def test_a_token_does_no_more_than_its_account(client):
    token = make_token(make_auditor(), Scope.SIGNALS_WRITE)

    answer = client.post(
        SIGNALS,
        json.dumps(ODD),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )

    assert (answer.status_code, answer.json()["code"]) == (HTTPStatus.FORBIDDEN, "read_only")


def test_a_token_that_sends_does_not_read(read, sender):
    assert read(SIGNALS, sender, Scope.SIGNALS_WRITE).status_code == HTTPStatus.FORBIDDEN


def test_signals_and_groups_are_listed_and_narrowed(read, sender):
    source = make_source()
    signal = make_received(source=source, title="Mine", model_name="aurora").signal
    make_group(state=State.ACKNOWLEDGED, title="Other", by=sender)

    def titles(path):
        return [row["title"] for row in read(path, sender).json()["results"]]

    assert titles(SIGNALS) == ["Other", "Mine"]
    assert titles(f"{SIGNALS}?source={source.code}") == ["Mine"]
    assert titles(f"{SIGNALS}?group={signal.group_id}") == ["Mine"]
    assert titles(f"{GROUPS}?state=ACKNOWLEDGED") == ["Other"]
    assert titles(f"{GROUPS}?model_name=aurora") == ["Mine"]
    assert read(f"{SIGNALS}{signal.pk}/", sender).json()["title"] == "Mine"
    assert read(f"{GROUPS}{signal.group_id}/", sender).json()["count"] == 1


@pytest.mark.parametrize(
    "query",
    ["group=x", "group=99999999999999999999", "source=%00", "state=ODD", "cursor=%00", "page_size=-1"],
)
@pytest.mark.parametrize("path", [SIGNALS, GROUPS])
def test_a_hostile_query_breaks_nothing(read, sender, path, query):
    assert read(f"{path}?{query}", sender).status_code in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST}


@pytest.mark.parametrize("pk", ["0", "999999", "x", "9" * 30, "%00", "-1"])
@pytest.mark.parametrize("path", [SIGNALS, GROUPS])
def test_what_is_not_there_is_not_found(read, sender, path, pk):
    assert read(f"{path}{pk}/", sender).status_code == HTTPStatus.NOT_FOUND


def test_signals_of_a_restricted_incident_stay_hidden(read, sender):
    commander = make_commander()
    incident = make_incident(by=commander, restricted=True)
    signal = make_received().signal
    actions.link_to_incident(group_id=signal.group_id, incident_id=incident.pk, by=commander)

    assert read(f"{SIGNALS}{signal.pk}/", sender).status_code == HTTPStatus.NOT_FOUND
    assert read(f"{GROUPS}{signal.group_id}/", sender).status_code == HTTPStatus.NOT_FOUND
    assert read(SIGNALS, sender).json()["results"] == []
    assert read(f"{SIGNALS}{signal.pk}/", commander).status_code == HTTPStatus.OK


@pytest.mark.parametrize("role", RoleCode)
def test_everybody_with_a_role_reads(read, role):
    make_group()

    assert len(read(GROUPS, make_user(role)).json()["results"]) == 1


def test_the_list_asks_the_same_questions_for_many_as_for_one(read, sender, django_assert_max_num_queries):
    for state in [*State, *State]:
        make_group(state=state)
    assert SignalGroup.objects.count() == 8

    for path in (SIGNALS, GROUPS):
        with django_assert_max_num_queries(8):
            assert len(read(path, sender).json()["results"]) == 8


def test_sending_asks_few_questions(send, django_assert_max_num_queries):
    send(ODD)

    with django_assert_max_num_queries(13):
        assert send(ODD | {"key": "k2"}).status_code == HTTPStatus.CREATED
