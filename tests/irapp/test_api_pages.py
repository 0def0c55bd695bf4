from http import HTTPStatus

import pytest

from irapp.accounts.models import RoleCode
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client):
    client.force_login(make_user(RoleCode.RESPONDER))
    return client


def test_every_operation_of_the_schema_is_on_the_page(signed_in):
    schema = signed_in.get("/api/v1/schema/?format=json").json()
    page = signed_in.get("/api/v1/").content.decode()

    assert len(schema["paths"]) > 5
    for path in schema["paths"]:
        assert f"<code>{path}</code>" in page


@pytest.mark.parametrize(
    "prefix", ["incidents", "corrections", "proposals", "decisions", "gateways", "events"]
)
def test_every_app_that_has_an_api_is_part_of_it(signed_in, prefix):
    assert signed_in.get(f"/api/v1/{prefix}/").status_code == HTTPStatus.OK


def test_what_the_api_does_not_have_is_a_problem_and_not_a_page(signed_in):
    answer = signed_in.get("/api/v1/nothing/")

    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


def test_what_people_do_not_find_is_a_page(signed_in):
    answer = signed_in.get("/nothing/")

    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert b"<h1>Not found</h1>" in answer.content


def test_an_error_of_ours_answers_without_anything_that_could_break_again(signed_in, monkeypatch):
    signed_in.raise_request_exception = False
    monkeypatch.setattr("irapp.audit.panels.log", lambda *_: 1 / 0)

    page = signed_in.get("/audit/")

    assert page.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert b"Something broke on our side" in page.content
