from http import HTTPStatus

import pytest

from corrections.models import Correction, Package, Proposal, Vote
from corrections.states import State
from incidents.states import State as Stage
from irapp.accounts.models import RoleCode, Scope
from tests.corrections import factories, gateways
from tests.corrections.calling import API, caller, draft
from tests.incidents.factories import make_commander, make_incident
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db
READ, PROPOSE = Scope.CORRECTIONS_READ, Scope.CORRECTIONS_PROPOSE


@pytest.fixture
def call(client):
    return caller(client)


def vote(asked, **changes):
    plain = {"proposal": asked.pk, "verdict": "APPROVE", "reason": "Yes.", "digest": asked.digest}
    return plain | changes


def test_a_token_drafts_and_proposes(call):
    by, incident = make_commander(), make_incident(state=Stage.EXECUTION)

    drafted = call("post", "/corrections/", draft(incident=incident.pk), user=by)
    proposed = call("post", f"/corrections/{drafted.json()['id']}/propose/", {"reason": "Now."}, user=by)

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


def test_a_second_draft_joins_the_package(call):
    package = factories.make_package()

    response = call("post", "/corrections/", draft(package=package.pk))

    assert response.json()["package"]["id"] == package.pk


def test_a_draft_that_is_sent_again_with_its_key_is_one_draft(call):
    by, body = make_commander(), draft(incident=make_incident(state=Stage.EXECUTION).pk)

    first, again = (
        call("post", "/corrections/", body, user=by, **{"Idempotency-Key": "k1"}) for _ in range(2)
    )
    other = call("post", "/corrections/", body | {"exit_criteria": "x"}, user=by, **{"Idempotency-Key": "k1"})

    assert first.json() == again.json()
    assert other.json()["code"] == "idempotency_key_reused"
    assert Correction.objects.count() == 1


def test_lists_are_filtered_and_paged(call):
    first, second = factories.make_draft(), factories.make_correction(state=State.PROPOSED)

    def found(query):
        return [each["id"] for each in call("get", f"/corrections/{query}").json()["results"]]

    assert found("") == [second.pk, first.pk]
    assert found("?state=DRAFT") == [first.pk]
    assert found("?state=DRAFT&state=PROPOSED") == [second.pk, first.pk]
    assert found(f"?incident={second.package.incident}") == [second.pk]
    assert found("?kind=suspend") == []
    assert found("?page_size=1") == [second.pk]


def test_one_correction_tells_what_each_gateway_has_shown(call):
    correction = factories.make_correction(state=State.ENFORCING)
    gateways.show("gateway-1", wrong=[correction.policy_id])

    shown = call("get", f"/corrections/{correction.pk}/").json()["gateways"]

    assert [(each["gateway"], each["verified"]) for each in shown] == [("gateway-1", False)]
    assert "expected to refuse" in shown[0]["missing"]


def test_one_proposal_tells_the_payload_the_votes_and_what_is_missing(call):
    proposal = factories.make_proposal(terms=factories.make_shutdown())
    factories.approve(proposal, by=factories.make_officer(username="dora"))

    shown = call("get", f"/proposals/{proposal.pk}/").json()

    assert shown["payload"]["correction"]["effect"]["kind"] == "suspend"
    assert [(each["user"], each["verdict"]) for each in shown["votes"]] == [("dora", "APPROVE")]
    assert shown["missing"] == "waiting for 1 of 2 from executive"


def test_gateways_are_read_and_never_written(call):
    gateways.show("gateway-1")

    listed = call("get", "/gateways/")

    assert [each["name"] for each in listed.json()["results"]] == ["gateway-1"]
    assert call("post", "/gateways/", {}).status_code == HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.parametrize("scopes", [tuple(Scope), (READ, PROPOSE), ()])
def test_no_token_ever_decides(call, scopes):
    proposal = factories.make_proposal()

    response = call("post", "/decisions/", vote(proposal), user=factories.make_executive(), scopes=scopes)

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


def test_decisions_are_listed_by_proposal(call):
    proposal, other = factories.make_proposal(), factories.make_proposal()
    factories.approve(proposal)
    factories.approve(other)

    listed = call("get", f"/decisions/?proposal={proposal.pk}").json()["results"]

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
def test_a_token_without_the_scope_is_refused(call, verb, path, body, scopes):
    assert call(verb, path, body, scopes=scopes).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("path", ["corrections", "proposals", "decisions", "gateways"])
def test_nobody_gets_in_without_saying_who_they_are(client, path):
    assert client.get(f"{API}/{path}/").status_code == HTTPStatus.UNAUTHORIZED


def test_a_token_can_do_no_more_than_its_person(call):
    incident = make_incident(state=Stage.EXECUTION)

    response = call("post", "/corrections/", draft(incident=incident.pk), user=make_user(RoleCode.AUDITOR))

    assert (response.status_code, response.json()["code"]) == (HTTPStatus.FORBIDDEN, "wrong_role")
    assert not Package.objects.exists()


def test_what_belongs_to_a_restricted_incident_is_not_there_for_outsiders(call):
    insider = make_commander()
    incident = make_incident(restricted=True, by=insider)
    drafted = call("post", "/corrections/", draft(incident=incident.pk), user=insider).json()

    assert call("get", f"/corrections/{drafted['id']}/").status_code == HTTPStatus.NOT_FOUND
    assert call("get", "/corrections/").json()["results"] == []
    for place in ({"incident": incident.pk}, {"package": drafted["package"]["id"]}):
        response = call("post", "/corrections/", draft(**place))
        assert (response.status_code, response.json()["code"]) == (
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "not_found",
        )


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
