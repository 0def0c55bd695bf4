from datetime import timedelta
from http import HTTPStatus

import pytest
from django.utils import timezone

from corrections.models import Correction, Package, Proposal, Vote
from corrections.states import State
from incidents.states import State as Stage
from irapp.accounts.models import RoleCode, Scope
from tests.corrections import factories, gateways
from tests.incidents.factories import make_commander, make_incident
from tests.irapp.factories import make_token, make_user

pytestmark = pytest.mark.django_db
API = "/api/v1"
READ, PROPOSE = Scope.CORRECTIONS_READ, Scope.CORRECTIONS_PROPOSE


@pytest.fixture
def caller(client):
    """Call with a token of this person and these scopes."""

    def call(verb, path, body=None, *, user=None, scopes=(READ, PROPOSE), **headers):
        secret = make_token(user or make_commander(), *scopes)
        headers = {"Authorization": f"Bearer {secret}", **headers}
        sent = {"data": body, "content_type": "application/json"} if body is not None else {}
        return getattr(client, verb)(API + path, headers=headers, **sent)

    return call


def draft(**changes):
    now = timezone.now()
    plain = {
        "kind": "block",
        "users": {"users": ["alice"]},
        "review_at": (now + timedelta(days=1)).isoformat(),
        "exit_criteria": "Fixed.",
    }
    return {name: value for name, value in (plain | changes).items() if value is not None}


def vote(asked, **changes):
    plain = {"proposal": asked.pk, "verdict": "APPROVE", "reason": "Yes.", "digest": asked.digest}
    return plain | changes


def test_a_token_drafts_and_proposes(caller):
    by, incident = make_commander(), make_incident(state=Stage.EXECUTION)

    drafted = caller("post", "/corrections/", draft(incident=incident.pk), user=by)
    proposed = caller("post", f"/corrections/{drafted.json()['id']}/propose/", {"reason": "Now."}, user=by)

    correction = Correction.objects.get()
    assert drafted.status_code == proposed.status_code == HTTPStatus.CREATED
    assert drafted.json()["summary"].startswith("Refuses user alice")
    assert (correction.state, correction.package.incident, correction.drafted_by) == (
        State.PROPOSED,
        incident,
        by,
    )
    assert proposed.json()["digest"] == Proposal.objects.get().digest
    assert proposed.json()["payload"]["reason"] == "Now."


def test_a_second_draft_joins_the_package(caller):
    package = factories.make_package()

    response = caller("post", "/corrections/", draft(package=package.pk))

    assert response.json()["package"]["id"] == package.pk


def test_a_draft_that_is_sent_again_with_its_key_is_one_draft(caller):
    by, body = make_commander(), draft(incident=make_incident(state=Stage.EXECUTION).pk)

    first, again = (
        caller("post", "/corrections/", body, user=by, **{"Idempotency-Key": "k1"}) for _ in range(2)
    )
    other = caller(
        "post", "/corrections/", body | {"exit_criteria": "x"}, user=by, **{"Idempotency-Key": "k1"}
    )

    assert first.json() == again.json()
    assert other.json()["code"] == "idempotency_key_reused"
    assert Correction.objects.count() == 1


def test_lists_are_filtered_and_paged(caller):
    first, second = factories.make_draft(), factories.make_correction(state=State.PROPOSED)

    def found(query):
        return [each["id"] for each in caller("get", f"/corrections/{query}").json()["results"]]

    assert found("") == [second.pk, first.pk]
    assert found("?state=DRAFT") == [first.pk]
    assert found("?state=DRAFT&state=PROPOSED") == [second.pk, first.pk]
    assert found(f"?incident={second.package.incident}") == [second.pk]
    assert found("?kind=suspend") == []
    assert found("?page_size=1") == [second.pk]


def test_one_correction_tells_what_each_gateway_has_shown(caller):
    correction = factories.make_correction(state=State.ENFORCING)
    gateways.show("gateway-1", wrong=[correction.policy_id])

    shown = caller("get", f"/corrections/{correction.pk}/").json()["gateways"]

    assert [(each["gateway"], each["verified"]) for each in shown] == [("gateway-1", False)]
    assert "expected to refuse" in shown[0]["missing"]


def test_one_proposal_tells_the_payload_the_votes_and_what_is_missing(caller):
    proposal = factories.make_proposal(terms=factories.make_shutdown())
    factories.approve(proposal, by=factories.make_officer(username="dora"))

    shown = caller("get", f"/proposals/{proposal.pk}/").json()

    assert shown["payload"]["correction"]["effect"]["kind"] == "suspend"
    assert [(each["user"], each["verdict"]) for each in shown["votes"]] == [("dora", "APPROVE")]
    assert shown["missing"] == "waiting for 1 of 2 from executive"


def test_gateways_are_read_and_never_written(caller):
    gateways.show("gateway-1")

    listed = caller("get", "/gateways/")

    assert [each["name"] for each in listed.json()["results"]] == ["gateway-1"]
    assert caller("post", "/gateways/", {}).status_code == HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.parametrize("scopes", [tuple(Scope), (READ, PROPOSE), ()])
def test_no_token_ever_decides(caller, scopes):
    proposal = factories.make_proposal()

    response = caller("post", "/decisions/", vote(proposal), user=factories.make_executive(), scopes=scopes)

    assert response.status_code == HTTPStatus.FORBIDDEN
    assert not Vote.objects.exists()


def test_a_signed_in_person_decides_and_the_same_vote_again_changes_nothing(client):
    proposal = factories.make_proposal()
    client.force_login(factories.make_executive(username="edgar"))

    first = client.post(f"{API}/decisions/", vote(proposal), content_type="application/json")
    again = client.post(f"{API}/decisions/", vote(proposal), content_type="application/json")

    assert (first.status_code, again.status_code) == (HTTPStatus.CREATED, HTTPStatus.OK)
    assert first.json() == again.json()
    assert first.json()["user"] == "edgar"
    assert Vote.objects.count() == 1


def test_a_session_without_its_csrf_token_decides_nothing(client):
    strict = client.__class__(enforce_csrf_checks=True)
    proposal = factories.make_proposal()
    strict.force_login(factories.make_executive())

    response = strict.post(f"{API}/decisions/", vote(proposal), content_type="application/json")

    assert response.status_code == HTTPStatus.FORBIDDEN
    assert not Vote.objects.exists()


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"digest": "sha256:" + "0" * 64}, HTTPStatus.CONFLICT, "digest_mismatch"),
        ({"verdict": "MAYBE"}, HTTPStatus.BAD_REQUEST, "invalid"),
        ({"reason": ""}, HTTPStatus.BAD_REQUEST, "invalid"),
        ({"proposal": 999_999}, HTTPStatus.NOT_FOUND, "not_found"),
        ({"by": "somebody else"}, HTTPStatus.BAD_REQUEST, "invalid"),
    ],
)
def test_a_vote_that_does_not_count_says_why(client, changes, status, code):
    proposal = factories.make_proposal()
    client.force_login(factories.make_executive())

    response = client.post(f"{API}/decisions/", vote(proposal, **changes), content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not Vote.objects.exists()


def test_decisions_are_listed_by_proposal(caller):
    proposal, other = factories.make_proposal(), factories.make_proposal()
    factories.approve(proposal)
    factories.approve(other)

    listed = caller("get", f"/decisions/?proposal={proposal.pk}").json()["results"]

    assert [each["proposal"] for each in listed] == [proposal.pk]


@pytest.mark.parametrize(
    ("verb", "path", "body", "scopes"),
    [
        ("get", "/corrections/", None, (PROPOSE,)),
        ("get", "/proposals/", None, (PROPOSE,)),
        ("get", "/decisions/", None, (Scope.EVENTS_READ,)),
        ("get", "/gateways/", None, ()),
        ("post", "/corrections/", {}, (READ,)),
        ("post", "/corrections/1/propose/", {}, (READ,)),
    ],
)
def test_a_token_without_the_scope_is_refused(caller, verb, path, body, scopes):
    assert caller(verb, path, body, scopes=scopes).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("path", ["corrections", "proposals", "decisions", "gateways"])
def test_nobody_gets_in_without_saying_who_they_are(client, path):
    assert client.get(f"{API}/{path}/").status_code == HTTPStatus.UNAUTHORIZED


def test_a_token_can_do_no_more_than_its_person(caller):
    incident = make_incident(state=Stage.EXECUTION)

    response = caller("post", "/corrections/", draft(incident=incident.pk), user=make_user(RoleCode.AUDITOR))

    assert (response.status_code, response.json()["code"]) == (HTTPStatus.FORBIDDEN, "wrong_role")
    assert not Package.objects.exists()


def test_what_belongs_to_a_restricted_incident_is_not_there_for_outsiders(caller):
    insider = make_commander()
    incident = make_incident(restricted=True, by=insider)
    drafted = caller("post", "/corrections/", draft(incident=incident.pk), user=insider).json()

    assert caller("get", f"/corrections/{drafted['id']}/").status_code == HTTPStatus.NOT_FOUND
    assert caller("get", "/corrections/").json()["results"] == []
    for place in ({"incident": incident.pk}, {"package": drafted["package"]["id"]}):
        response = caller("post", "/corrections/", draft(**place))
        assert (response.status_code, response.json()["code"]) == (
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "not_found",
        )


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
def test_input_that_is_not_understood_is_named(caller, field, changes):
    incident = make_incident(state=Stage.EXECUTION)

    response = caller("post", "/corrections/", draft(**{"incident": incident.pk} | changes))

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
def test_terms_that_make_no_sense_are_refused_by_the_path_of_the_field(caller, field, changes):
    incident = make_incident(state=Stage.EXECUTION)

    response = caller("post", "/corrections/", draft(incident=incident.pk, **changes))

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
    secret = make_token(make_commander(), PROPOSE)
    whole = raw
    if raw.startswith(b'{"') and raw.endswith(b"}") and b"NaN" not in raw:
        incident = make_incident(state=Stage.EXECUTION).pk
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
    secret = make_token(make_commander(), PROPOSE)

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
def test_queries_that_make_no_sense_are_refused_or_harmless(caller, query):
    assert caller("get", f"/corrections/?{query}").status_code in {
        HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.OK,
    }  # fmt: skip


def test_an_unknown_filter_is_refused_rather_than_ignored(caller):
    assert caller("get", "/corrections/?stat=DRAFT").status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("pk", ["0", "999999", "9" * 30, "x", "1.5"])
def test_what_does_not_exist_is_not_found(caller, pk):
    assert caller("get", f"/corrections/{pk}/").status_code == HTTPStatus.NOT_FOUND
    assert caller("post", f"/corrections/{pk}/propose/", {}).status_code == HTTPStatus.NOT_FOUND


def test_the_list_asks_the_same_questions_for_ten_as_for_one(client, django_assert_num_queries):
    package = factories.make_package()
    factories.make_draft(package=package)
    client.force_login(make_commander())

    def ask():
        with django_assert_num_queries(4):  # session, person, roles, rows
            client.get(f"{API}/corrections/")

    ask()
    for _ in range(9):
        factories.make_draft(package=package)
    ask()
