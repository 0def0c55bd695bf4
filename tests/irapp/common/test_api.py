"""How the API reads, refuses, pages, and repeats."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from irapp.accounts.models import RoleCode, Scope, User
from irapp.common.api import idempotency
from irapp.common.models import RememberedCall
from tests.irapp.factories import make_token, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.irapp.common.api_urls")]
PEOPLE = "/api/v1/people/"


@pytest.fixture
def caller():
    return make_user(RoleCode.RESPONDER)


@pytest.fixture
def call(caller):
    secret = make_token(caller, Scope.INCIDENTS_READ, Scope.INCIDENTS_WRITE)

    def call(method, path=PEOPLE, body="", **headers):
        client = Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False)
        return client.generic(method, path, body, content_type="application/json", headers=headers)

    return call


def is_problem(response, status, code):
    said = response.json()
    assert (response.status_code, said["status"], said["code"]) == (status, status, code), said
    assert response["Content-Type"] == "application/problem+json"
    assert {"type", "title", "detail"} <= said.keys()
    return True


# Reading


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not JSON"),
        (b'{"username": NaN}', "NaN"),
        (b'{"username": -Infinity}', "Infinity"),
        (b'{"username": 1e999}', "larger than a number"),
        (b'{"username": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"username": "a", "username": "b"}', "twice"),
        (b'{"username": "a\\u0000b"}', "NUL"),
        (b'{"a\\u0000b": 1}', "NUL"),
        (b'{"username": "\\ud800"}', "surrogate"),
        (b'{"username": "\xff"}', "UTF-8"),
        (b"[" * 100_000, "deeper"),
        (b"[" * 60 + b"]" * 60, "deeper"),
    ],
)
def test_what_could_be_understood_in_two_ways_is_refused_with_the_reason(call, body, reason):
    response = call("POST", body=body)

    assert is_problem(response, 400, "parse_error")
    assert reason in response.json()["detail"]


def test_a_deep_but_sane_body_is_read(call):
    assert is_problem(call("POST", body=b"[" * 40 + b"]" * 40), 400, "invalid")


def test_a_body_that_is_too_large_is_refused(call):
    response = call("POST", body=b'"' + b"a" * 1024 * 1024 + b'"')

    assert is_problem(response, 413, "too_large")


def test_another_kind_of_body_is_refused(caller):
    client = Client()
    client.force_login(caller)

    response = client.post(PEOPLE, {"username": "a"})

    assert is_problem(response, 415, "unsupported_media_type")


# Refusing


def test_an_unknown_field_is_refused_by_name(call):
    response = call("POST", body='{"username": "a", "colour": "red"}')

    assert is_problem(response, 400, "invalid")
    assert response.json()["errors"] == {"colour": ["There is no such field."]}


def test_a_wrong_value_is_named_by_its_path(call):
    response = call("POST", body='{"username": "a", "tags": ["x", {}]}')

    assert is_problem(response, 400, "invalid")
    assert response.json()["detail"].startswith("tags.1:")


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("taken", 409, "taken"), ("wrong", 422, "invalid"), ("bug", 500, "internal_server_error")],
)
def test_every_refusal_is_a_problem_with_a_code(call, name, status, code):
    assert is_problem(call("POST", body=f'{{"username": "{name}"}}'), status, code)


def test_a_refusal_names_the_field_and_further_facts(call):
    said = call("POST", body='{"username": "wrong"}').json()

    assert (said["field"], said["details"]) == ("username", {"try": "another"})


def test_addresses_and_methods_that_do_not_exist_are_problems_too(call):
    assert is_problem(call("GET", "/api/v1/nothing/"), 404, "not_found")
    assert is_problem(call("DELETE"), 405, "method_not_allowed")


def test_who_brings_nothing_is_told_how(client):
    response = client.get(PEOPLE)

    assert is_problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_wrong_token_is_not_let_in(client):
    assert is_problem(
        client.get(PEOPLE, headers={"Authorization": "Bearer no"}), 401, "authentication_failed"
    )


def test_a_token_without_the_scope_is_refused(client, caller):
    secret = make_token(caller, Scope.EVENTS_READ)

    response = client.get(PEOPLE, headers={"Authorization": f"Bearer {secret}"})

    assert is_problem(response, 403, "permission_denied")


def test_a_session_needs_its_csrf_token(caller):
    client = Client(enforce_csrf_checks=True)
    client.force_login(caller)

    response = client.post(PEOPLE, '{"username": "a"}', content_type="application/json")

    assert is_problem(response, 403, "permission_denied")


# Paging


@pytest.mark.parametrize(
    "cursor",
    ["x", "%00", "cD0lMDA=", "cD1hYmM=", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OQ==", "bz0tMQ==", "%ff%fe", "w6Q="],
)
def test_a_cursor_we_never_gave_is_refused(call, cursor):
    assert is_problem(call("GET", f"{PEOPLE}?cursor={cursor}"), 400, "invalid")


@pytest.mark.parametrize("size", ["0", "-1", "many", "201", "%00"])
def test_a_page_size_out_of_range_is_refused(call, size):
    assert is_problem(call("GET", f"{PEOPLE}?page_size={size}"), 400, "invalid")


def test_pages_hold_every_row_once_newest_first(call):
    for _ in range(7):
        make_user()
    ids, url = [], f"{PEOPLE}?page_size=3"
    while url:
        page = call("GET", url).json()
        ids += [person["id"] for person in page["results"]]
        url = page["next"] and page["next"].removeprefix("http://testserver")

    assert ids == sorted(User.objects.values_list("pk", flat=True), reverse=True)


# Repeating

ANNA = '{"username": "anna"}'


def test_a_call_repeated_with_its_key_is_carried_out_once_and_answered_the_same(call):
    first = call("POST", body=ANNA, **{"Idempotency-Key": "one"})
    second = call("POST", body='{ "username":"anna" }', **{"Idempotency-Key": "one"})

    assert first.status_code == second.status_code == HTTPStatus.CREATED
    assert first.json() == second.json()
    assert first["Location"] == second["Location"]
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert User.objects.filter(username="anna").count() == 1


def test_a_key_used_for_another_request_is_refused(call):
    call("POST", body=ANNA, **{"Idempotency-Key": "one"})

    response = call("POST", body='{"username": "berta"}', **{"Idempotency-Key": "one"})

    assert is_problem(response, 422, "idempotency_key_reused")
    assert not User.objects.filter(username="berta").exists()


def test_keys_of_two_accounts_do_not_meet(call, client):
    call("POST", body=ANNA, **{"Idempotency-Key": "one"})
    secret = make_token(make_user(), Scope.INCIDENTS_WRITE)

    response = client.post(
        PEOPLE,
        '{"username": "berta"}',
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "one"},
    )

    assert response.status_code == HTTPStatus.CREATED


@pytest.mark.parametrize("name", ["taken", "bug"])
def test_a_call_that_failed_left_nothing_and_may_be_repeated(call, name):
    body = f'{{"username": "{name}"}}'

    first = call("POST", body=body, **{"Idempotency-Key": "one"})
    second = call("POST", body=body, **{"Idempotency-Key": "one"})

    assert first.status_code == second.status_code
    assert not User.objects.filter(username=name).exists()
    assert not RememberedCall.objects.exists()


@pytest.mark.parametrize("key", ["", "a b", "a" * 201, "ä"])
def test_a_key_that_is_none_is_refused(call, key):
    assert is_problem(call("POST", body=ANNA, **{"Idempotency-Key": key}), 400, "invalid")


@pytest.mark.django_db(transaction=True)
def test_of_ten_calls_at_once_with_one_key_one_is_carried_out(call):
    start = threading.Barrier(10)

    def post(_):
        start.wait(60)
        try:
            return call("POST", body=ANNA, **{"Idempotency-Key": "one"})
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(post, range(10)))

    assert {answer.status_code for answer in answers} == {HTTPStatus.CREATED}
    assert sum("Idempotency-Replayed" in answer for answer in answers) == 9
    assert User.objects.filter(username="anna").count() == 1


def test_answers_are_forgotten_after_a_day(call):
    call("POST", body=ANNA, **{"Idempotency-Key": "one"})

    assert idempotency.forget(now=timezone.now() + timedelta(hours=23)) == 0
    assert idempotency.forget(now=timezone.now() + timedelta(hours=25)) == 1
