"""Segments and pattern sets for machines."""

from http import HTTPStatus

import pytest

from corrections.segments.models import Segment
from enforcement import policy
from irapp.accounts.models import RoleCode, Scope
from tests.corrections.calling import API, caller
from tests.corrections.segments.factories import add, fresh, make_patterns, make_segment, many
from tests.incidents.factories import make_responder
from tests.irapp.factories import make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(client):
    return caller(client)


@pytest.fixture
def send(client):
    """Send a file as the body."""

    def post(path, content, *, user=None, kind="text/csv", scopes=(Scope.CORRECTIONS_PROPOSE,), **headers):
        secret = make_token(user or make_responder(), *scopes)
        raw = content if isinstance(content, bytes) else content.encode()
        headers = {"Authorization": f"Bearer {secret}", **headers}
        return client.post(API + path, data=raw, content_type=kind, headers=headers)

    return post


def test_a_segment_is_begun_listed_and_read(call):
    made = call("post", "/segments/", {"title": "Ring", "of": "user"})
    assert made.status_code == HTTPStatus.CREATED

    pk = made.json()["id"]
    assert call("get", f"/segments/{pk}/").json()["title"] == "Ring"
    assert [each["id"] for each in call("get", "/segments/?of=user").json()["results"]] == [pk]
    assert call("get", "/segments/?of=key").json()["results"] == []
    assert call("get", "/segments/?nonsense=1").status_code == HTTPStatus.BAD_REQUEST


def test_a_file_is_taken_in_by_one_call(send):
    segment = make_segment()

    made = send(
        f"/segments/{segment.pk}/import/?reason=Abuse+list&file_name=abuse.csv",
        "id;user;note\n1;alice;x\n2;bob;y\n",
    )

    assert made.status_code == HTTPStatus.CREATED, made.json()
    said = made.json()
    assert (said["number"], said["added"], said["count"], said["source_name"]) == (1, 2, 2, "abuse.csv")
    assert said["lists"] == [{"of": "user", "attachment": policy.address(b"alice\nbob\n"), "count": 2}]


def test_a_dry_run_tells_what_would_happen_and_changes_nothing(send):
    segment = make_segment("alice")

    told = send(f"/segments/{segment.pk}/import/?reason=x&dry_run=true", "alice\ncarol\nd d\n")

    assert told.status_code == HTTPStatus.OK
    said = told.json()
    assert {each["label"]: each["number"] for each in said["counts"]}["New"] == 1
    assert said["invalid"] == [{"line": 3, "value": "d d", "reason": "contains white space"}]
    assert fresh(segment).version == 1


def test_invalid_rows_are_a_problem_that_lists_them(send):
    segment = make_segment()

    refused = send(f"/segments/{segment.pk}/import/?reason=x", "alice\nd d\n")

    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert refused.headers["Content-Type"] == "application/problem+json"
    problem = refused.json()
    assert problem["code"] == "invalid_rows"
    assert problem["details"]["rows"] == [{"line": 2, "value": "d d", "reason": "contains white space"}]

    made = send(f"/segments/{segment.pk}/import/?reason=x&skip_invalid=true", "alice\nd d\n")
    assert made.json()["skipped"] == 1


@pytest.mark.parametrize(
    ("query", "content", "status", "code"),
    [
        ("?reason=x", b"\x00\x01", HTTPStatus.UNPROCESSABLE_ENTITY, "not_csv"),
        ("?reason=x", b"caf\xe9", HTTPStatus.UNPROCESSABLE_ENTITY, "not_utf8"),
        ("?reason=x", b"", HTTPStatus.UNPROCESSABLE_ENTITY, "empty_file"),
        ("?reason=x&column=nope", b"a,b\nc,d\n", HTTPStatus.UNPROCESSABLE_ENTITY, "unknown_column"),
        ("", b"alice\n", HTTPStatus.BAD_REQUEST, "invalid"),
        ("?reason=x&colour=red", b"alice\n", HTTPStatus.BAD_REQUEST, "invalid"),
        ("?reason=x&revision=1", b"alice\n", HTTPStatus.CONFLICT, "stale"),
        ("?reason=x&mode=replace", b"bob\n", HTTPStatus.UNPROCESSABLE_ENTITY, "revision_required"),
        ("?reason=x", b"here\n", HTTPStatus.CONFLICT, "nothing_changes"),
    ],
)
def test_what_cannot_be_taken_in_is_a_problem_with_a_code(send, query, content, status, code):
    segment = make_segment("here")

    refused = send(f"/segments/{segment.pk}/import/{query}", content)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert fresh(segment).version == 1


def test_a_file_that_is_too_large_is_refused(send, monkeypatch):
    monkeypatch.setattr("irapp.common.api.files.LARGEST", 10)

    refused = send(f"/segments/{make_segment().pk}/import/?reason=x", "a" * 11)

    assert refused.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_the_same_call_again_changes_nothing(send):
    segment, user = make_segment(), make_responder()
    call = {"user": user, "Idempotency-Key": "k1"}

    first = send(f"/segments/{segment.pk}/import/?reason=x", "alice\n", **call)
    again = send(f"/segments/{segment.pk}/import/?reason=x", "alice\n", **call)
    other = send(f"/segments/{segment.pk}/import/?reason=x", "bob\n", **call)

    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.json()["code"] == "idempotency_key_reused"
    assert fresh(segment).version == 1


def test_one_more_subject_is_one_call(call):
    segment = make_segment(*many(1200))

    made = call(
        "post", f"/segments/{segment.pk}/versions/", {"mode": "add", "subjects": ["late"], "reason": "Found."}
    )

    assert made.status_code == HTTPStatus.CREATED, made.json()
    assert [each["count"] for each in made.json()["lists"]] == [1200, 1]


def test_names_that_are_sent_are_not_trimmed_into_others(call):
    segment = make_segment()

    body = {"mode": "add", "subjects": ["a\u200bb"], "reason": "x"}
    refused = call("post", f"/segments/{segment.pk}/versions/", body)

    assert refused.json()["code"] == "invalid_rows"
    assert "U+200B" in refused.json()["detail"]


def test_versions_are_listed_with_the_lists_that_corrections_name(call, django_assert_max_num_queries):
    segment = make_segment("alice")
    for number in range(5):
        add(segment, f"user-{number}")

    with django_assert_max_num_queries(12):
        listed = call("get", f"/segments/{segment.pk}/versions/").json()["results"]

    assert [each["number"] for each in listed] == [6, 5, 4, 3, 2, 1]
    assert all(each["lists"] for each in listed)


def test_subjects_are_paged_searched_and_asked_for(call):
    segment = make_segment(*many(150), "alice")

    def get(query=""):
        return call("get", f"/segments/{segment.pk}/subjects/{query}").json()

    assert (get()["total"], len(get()["subjects"]), get()["pages"]) == (151, 100, 2)
    assert get("?q=lic")["subjects"] == ["alice"]
    assert get("?name=alice")["subjects"] == ["alice"]
    assert get("?name=alic")["subjects"] == []
    assert get("?version=7")["status"] == HTTPStatus.NOT_FOUND


def test_a_segment_is_retired_once(call):
    segment = make_segment("alice")

    assert call("post", f"/segments/{segment.pk}/retire/", {"reason": "Over."}).json()["retired_at"]
    again = call("post", f"/segments/{segment.pk}/retire/", {"reason": "Over."})

    assert again.json()["code"] == "retired"


def test_a_token_that_only_reads_takes_nothing_in(send, call):
    segment = make_segment("alice")
    read = (Scope.CORRECTIONS_READ,)

    assert send(f"/segments/{segment.pk}/import/?reason=x", "bob\n", scopes=read).status_code == 403
    assert call("post", "/segments/", {"title": "x", "of": "user"}, scopes=read).status_code == 403
    assert call("get", f"/segments/{segment.pk}/", scopes=read).status_code == HTTPStatus.OK


def test_an_auditors_token_takes_nothing_in_whatever_its_scope(send):
    segment = make_segment("alice")

    refused = send(f"/segments/{segment.pk}/import/?reason=x", "bob\n", user=make_user(RoleCode.AUDITOR))

    assert refused.json()["code"] == "wrong_role"
    assert fresh(segment).version == 1


def test_patterns_are_sent_listed_and_tried(call, send):
    pk = call("post", "/pattern-sets/", {"title": "Agents"}).json()["id"]
    body = {"patterns": [{"text": "sarin", "weight": 5}], "reason": "Red team."}

    made = call("post", f"/pattern-sets/{pk}/versions/", body)
    file = send(f"/pattern-sets/{pk}/import/?reason=x", "tabun\n", kind="text/plain")

    assert made.status_code == HTTPStatus.CREATED, made.json()
    assert (file.json()["number"], file.json()["count"]) == (2, 2)
    assert {each["text"] for each in call("get", f"/pattern-sets/{pk}/patterns/").json()["patterns"]} == {
        "sarin",
        "tabun",
    }
    tried = call(
        "post", f"/pattern-sets/{pk}/try/", {"text": "SARIN, sarin"}, scopes=(Scope.CORRECTIONS_READ,)
    )
    assert (tried.json()["weight"], tried.json()["matched"][0]["times"]) == (5, 2)


def test_a_pattern_that_the_filter_cannot_use_is_refused_with_its_reason(call):
    register = make_patterns("sarin")
    body = {"patterns": [{"text": "(a+)+$", "kind": "regex", "sample": "aa"}], "reason": "x"}

    refused = call("post", f"/pattern-sets/{register.pk}/versions/", body)

    assert refused.json()["code"] == "invalid_rows"
    assert fresh(register).version == 1


def test_the_schema_tells_how_files_are_sent(client):
    client.force_login(make_responder())

    schema = client.get("/api/v1/schema/?format=json").json()

    operation = schema["paths"]["/api/v1/segments/{id}/import/"]["post"]
    assert set(operation["requestBody"]["content"]) == {"text/csv", "text/plain"}
    assert {"mode", "reason", "skip_invalid", "dry_run", "column", "delimiter", "header"} <= {
        each["name"] for each in operation["parameters"]
    }


def test_who_is_nobody_gets_nothing(client):
    assert client.get(API + "/segments/").status_code == HTTPStatus.UNAUTHORIZED
    assert Segment.objects.count() == 0
