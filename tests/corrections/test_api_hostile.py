"""What the API makes of input that is wrong, odd or meant to break it."""

from http import HTTPStatus

import pytest

from corrections.models import Correction, Package
from irapp.accounts.models import Scope
from tests.corrections.calling import API, caller, draft
from tests.incidents.factories import make_commander, make_incident
from tests.irapp.factories import make_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(client):
    return caller(client)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("kind", {"kind": "forget"}),
        ("kind", {"kind": None}),
        ("review_at", {"review_at": "soon"}),
        ("exit_criteria", {"exit_criteria": ""}),
        ("users", {"users": ["alice"]}),
        ("percentage", {"percentage": 0}),
        ("parse_error", {"percentage": 1e400}),
        ("state", {"state": "ACTIVE"}),
        ("approval_digest", {"approval_digest": "sha256:" + "0" * 64}),
        ("package", {"package": 1}),
        ("package", {"incident": None}),
    ],
)
def test_input_that_is_not_understood_is_named(call, field, changes):
    incident = make_incident()

    response = call("post", "/corrections/", draft(**{"incident": incident.pk} | changes))

    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert field in str(response.json())
    assert not Correction.objects.exists()


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("users", {"users": {}}),
        ("users.users", {"users": {"users": ["a b"]}}),
        ("users.users", {"users": {"users": "alice"}}),
        ("users.friends", {"users": {"friends": ["a"]}}),
        ("functionality.endpoints", {"functionality": {"endpoints": ["telepathy"]}}),
        (
            "parameters.requests",
            {"kind": "request_limit", "parameters": {"requests": 0, "window_seconds": 1}},
        ),
        ("parameters.window_seconds", {"kind": "request_limit", "parameters": {"requests": 1}}),
        ("parameters.colour", {"kind": "output_cap", "parameters": {"max_tokens": 1, "colour": "red"}}),
        ("expires_at", {"expires_at": "2020-01-01T00:00:00Z"}),
        ("review_at", {"review_at": "2020-01-01T00:00:00Z"}),
        ("exit_criteria", {"exit_criteria": " "}),
    ],
)
def test_terms_that_make_no_sense_are_refused_by_the_path_of_the_field(call, field, changes):
    incident = make_incident()

    response = call("post", "/corrections/", draft(incident=incident.pk, **changes))

    assert response.status_code in {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.BAD_REQUEST}
    assert field in str(response.json())
    assert not Package.objects.exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"kind": NaN}',
        b"\xff\xfe",
        b'{"users": {"users": ["\\ud800"]}}',
        b'{"users": {"users": ["\\u0000"]}}',
        b'{"exit_criteria": "\\u0000"}',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"users":' * 5_000 + b"{}" + b"}" * 5_000,
        b'{"incident": 1' + b"0" * 400 + b"}",
    ],
)
def test_hostile_bodies_are_refused_and_never_break(client, raw):
    secret = make_token(make_commander(), Scope.CORRECTIONS_PROPOSE)
    whole = raw
    if raw.startswith(b'{"') and raw.endswith(b"}") and b"NaN" not in raw:
        incident = make_incident().pk
        extra = b',"incident":%d,"kind":"block","review_at":"2990-01-01T00:00:00Z"}' % incident
        whole = raw[:-1] + (extra if b'"incident"' not in raw else b"}")

    response = client.post(
        f"{API}/corrections/",
        whole,
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )

    assert 400 <= response.status_code < 500
    assert not Package.objects.exists()


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"]
)
def test_only_json_is_read(client, content_type):
    secret = make_token(make_commander(), Scope.CORRECTIONS_PROPOSE)

    response = client.post(
        f"{API}/corrections/",
        b"kind=block",
        content_type=content_type,
        headers={"Authorization": f"Bearer {secret}"},
    )

    assert response.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize(
    "query", ["state=HAPPY", "kind=x", "cursor=%00", "cursor=x", "incident=%00", "colour=red", "page_size=x"]
)
def test_queries_that_make_no_sense_are_refused_or_harmless(call, query):
    assert call("get", f"/corrections/?{query}").status_code in {
        HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.OK,
    }  # fmt: skip


def test_an_unknown_filter_is_refused_rather_than_ignored(call):
    assert call("get", "/corrections/?stat=DRAFT").status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("pk", ["0", "999999", "9" * 30, "x", "1.5"])
def test_what_does_not_exist_is_not_found(call, pk):
    assert call("get", f"/corrections/{pk}/").status_code == HTTPStatus.NOT_FOUND
    assert call("post", f"/corrections/{pk}/propose/", {}).status_code == HTTPStatus.NOT_FOUND
