from datetime import timedelta
from http import HTTPStatus

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from corrections import actions
from corrections.models import Gateway
from corrections.states import State, Verdict
from incidents.states import State as Stage
from irapp.accounts.models import RoleCode
from tests.corrections import factories, gateways
from tests.corrections.pages import text, url
from tests.incidents.factories import make_commander, make_incident
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db
GATEWAYS = "/corrections/gateways/"


@pytest.fixture
def commander(client):
    commander = make_commander()
    client.force_login(commander)
    return commander


def labels(response):
    return {act.name: act.why_not for act in response.context["detail"].acts}


@pytest.mark.parametrize(
    ("state", "names"),
    [
        (State.DRAFT, ["propose", "edit", "discard"]),
        (State.PROPOSED, ["decide", "edit", "withdraw"]),
        (State.ENFORCING, ["version", "narrower", "lift", "exempt"]),
        (State.ACTIVE, ["version", "narrower", "lift", "permanent", "exempt"]),
        (State.LIFTING, []),
        (State.LIFTED, []),
    ],
)
def test_the_buttons_follow_the_state(client, state, names):
    by = make_commander()
    correction = factories.make_correction(state=state, by=by)
    client.force_login(by)

    assert labels(client.get(url("detail", correction))) == dict.fromkeys(names, "")


@pytest.mark.parametrize("state", [State.DRAFT, State.ACTIVE])
def test_an_auditor_reads_everything_and_is_told_why_nothing_can_be_done(client, state):
    correction = factories.make_correction(state=state)
    client.force_login(make_user(RoleCode.AUDITOR))

    response = client.get(url("detail", correction))

    assert response.status_code == HTTPStatus.OK
    assert all(labels(response).values())
    assert "You need to be responder or incident commander for this." in text(response)


@pytest.mark.parametrize("step", ["propose", "discard", "lift", "permanent", "retry", "edit", "version"])
def test_an_auditor_changes_nothing(client, step):
    correction = factories.make_correction(state=State.ACTIVE)
    client.force_login(make_user(RoleCode.AUDITOR))

    assert client.post(url(step, correction), {"reason": "No."}).status_code == HTTPStatus.FORBIDDEN
    assert factories.fresh(correction).state == State.ACTIVE


@pytest.mark.usefixtures("commander")
def test_the_proof_names_what_each_gateway_lacks(client):
    correction = factories.make_correction(state=State.ENFORCING)
    gateways.show("gateway-1")
    gateways.show("gateway-2", wrong=[correction.policy_id])

    detail = client.get(url("detail", correction)).context["detail"]

    assert detail.standing == "1 of 2 gateways have shown it in force."
    assert [(proof.name, proof.state) for proof in detail.proofs] == [
        ("gateway-1", "VERIFIED"),
        ("gateway-2", "UNVERIFIED"),
    ]
    assert "gave 200, expected to refuse" in detail.proofs[1].detail
    assert [probe.text for probe in detail.proofs[1].probes] == [
        "chat.completions, somebody in the scope: should be refused, got 200"
    ]


@pytest.mark.usefixtures("commander")
def test_a_live_page_gets_its_matter_alone(client):
    correction = factories.make_correction(state=State.ACTIVE)

    response = client.get(url("detail", correction), {"part": "live"})

    assert text(response).startswith('<div id="correction"')
    assert f"live:correction:{correction.pk} " in text(response)


@pytest.mark.usefixtures("commander")
def test_the_decision_record_says_who_when_why_and_by_which_rule(client):
    proposal = factories.make_proposal()
    factories.approve(proposal, by=factories.make_officer(name="Dora"), reason="Narrow and reversible.")

    shown = text(client.get(url("detail", proposal.correction)))

    assert "<strong>Dora</strong> approved" in shown
    assert "Narrow and reversible." in shown
    assert "1 from duty officer or executive (rule T1/NARROW/HIGH/IMPOSE)" in shown
    assert proposal.digest in shown


@pytest.mark.usefixtures("commander")
def test_a_decision_stays_as_it_was_when_the_decider_loses_the_role(client):
    proposal, officer = factories.make_proposal(), factories.make_officer()
    factories.approve(proposal, by=officer)
    officer.grants.update(ends_at=timezone.now())

    assert "Approved by 1 of 1" in text(client.get(url("detail", proposal.correction)))


def asked(client, correction, **query):
    """Give what the page asks of the database."""
    with CaptureQueriesContext(connection) as found:
        assert client.get(url("detail", correction), query).status_code == HTTPStatus.OK
    return [each["sql"] for each in found]


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (factories.make_draft, 8),
        (factories.make_proposal, 12),
        (factories.make_correction, 12),
        (lambda: factories.make_correction(state=State.ENFORCING), 12),
        (lambda: factories.lift(factories.make_correction()), 12),
    ],
    ids=["draft", "proposed", "active", "enforcing", "lifting"],
)
@pytest.mark.usefixtures("commander")
def test_the_page_asks_little_of_the_database(client, make, most):
    made = make()
    correction = getattr(made, "correction", made)

    assert len(asked(client, correction)) <= most


@pytest.mark.usefixtures("commander")
def test_the_page_asks_no_more_for_many_gateways_versions_and_votes_than_for_few(client):
    correction = factories.make_correction()
    few = asked(client, correction)
    for number in range(2, 30):
        gateways.show(f"gateway-{number}")
    for _ in range(3):
        correction = renewed(correction)
    many = asked(client, correction)

    assert len(few) == len(many) == 12


@pytest.mark.usefixtures("commander")
def test_the_page_asks_no_more_for_many_questions_than_for_one(client):
    correction = factories.make_correction()
    once = asked(client, correction)
    for _ in range(5):
        question = actions.propose_lift(correction_id=correction.pk, reason="Over.", by=make_commander())
        no = {"verdict": Verdict.REJECT, "digest": question.digest, "reason": "Not yet."}
        actions.vote(proposal_id=question.pk, by=factories.make_executive(), **no)
    often = asked(client, correction)

    assert factories.fresh(correction).state == State.ACTIVE
    assert len(once) == len(often) == 12


def renewed(correction):
    by = make_commander()
    new = actions.draft_version(correction_id=correction.pk, by=by)
    new = factories.fresh(factories.decide(actions.propose(correction_id=new.pk, by=by)))
    gateways.show("gateway-1")
    return new


@pytest.mark.parametrize(
    ("step", "asked"), [("lift", "Ends what is in force now"), ("permanent", "Stays without expiry")]
)
@pytest.mark.usefixtures("commander")
def test_lifting_and_keeping_are_asked_with_a_reason_after_a_second_look(client, step, asked):
    correction = factories.make_correction()

    empty = client.post(url(step, correction), {"reason": " "})
    response = client.post(url(step, correction), {"reason": "It is fixed."}, follow=True)

    assert empty.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert list(empty.context["form"].errors) == ["reason"]
    assert asked in text(response)
    assert factories.fresh(correction).state == State.ACTIVE


@pytest.mark.usefixtures("commander")
def test_what_is_asked_already_is_not_asked_again(client):
    correction = factories.make_correction()
    client.post(url("lift", correction), {"reason": "Fixed."})

    response = client.post(url("lift", correction), {"reason": "Fixed."})

    assert response.status_code == HTTPStatus.CONFLICT
    assert correction.proposals.count() == 2


@pytest.mark.usefixtures("commander")
def test_a_draft_is_proposed_or_withdrawn_from_its_page(client):
    kept, dropped = factories.make_draft(), factories.make_draft()

    client.post(url("propose", kept))
    client.post(url("discard", dropped))

    assert factories.fresh(kept).state == State.PROPOSED
    assert factories.fresh(dropped).state == State.WITHDRAWN


@pytest.mark.usefixtures("commander")
def test_what_was_not_shown_in_time_says_so_and_is_tried_again(client, clock):
    correction = factories.make_correction(state=State.ENFORCING)
    gateways.show(wrong=[correction.policy_id])
    clock.shift(timedelta(minutes=11))
    gateways.show(wrong=[correction.policy_id])

    shown = client.get(url("detail", correction))
    client.post(url("retry", correction))

    assert "Not shown in force in time" in text(shown)
    assert "retry" in labels(shown)
    assert factories.fresh(correction).state == State.ENFORCING


@pytest.mark.usefixtures("commander")
def test_what_is_held_past_its_time_says_so(client, clock):
    correction = factories.make_correction()
    clock.shift(timedelta(hours=25))
    client.force_login(make_commander())

    shown = text(client.get(url("detail", correction)))

    assert "Its time is over, and it is held" in shown
    assert "Its review is due" in shown


def test_a_correction_of_a_restricted_incident_is_not_found_by_outsiders(client):
    incident = make_incident(restricted=True, by=make_commander())
    package = actions.open_package(incident_id=incident.pk, title="Quiet", by=incident.opened_by)
    correction = factories.make_draft(package=package, by=incident.opened_by)
    client.force_login(make_commander())

    for step in ("detail", "edit", "version", "propose", "lift", "permanent", "retry", "discard"):
        assert client.get(url(step, correction)).status_code == HTTPStatus.NOT_FOUND
    assert str(correction) not in text(client.get("/corrections/", {"tab": "drafts"}))


@pytest.mark.usefixtures("commander")
def test_the_incident_shows_its_corrections_and_offers_another(client):
    correction = factories.make_draft()

    shown = text(client.get(correction.package.incident.get_absolute_url()))

    assert url("detail", correction) in shown
    assert f"/corrections/new/?incident={correction.package.incident_id}" in shown


def test_the_incident_says_why_somebody_cannot_propose(client):
    incident = make_incident(state=Stage.EXECUTION)
    client.force_login(make_user(RoleCode.AUDITOR))

    shown = text(client.get(incident.get_absolute_url()))

    assert "You need to be responder or incident commander for this." in shown
    assert "/corrections/new/" not in shown


@pytest.mark.usefixtures("commander")
def test_the_gateways_show_what_is_wanted_and_what_each_holds(client):
    correction = factories.make_correction(state=State.ENFORCING)
    gateways.show("gateway-1")
    gateways.show("gateway-2", wrong=[correction.policy_id])

    fleet = client.get(GATEWAYS).context["fleet"]

    assert fleet.policy.version == 1
    assert [(row.gateway.name, row.state) for row in fleet.gateways] == [
        ("gateway-1", "LIVE"),
        ("gateway-2", "LIVE"),
    ]
    (row,) = fleet.corrections
    assert (row.acknowledged.text, row.observed.text) == ("2 of 2", "1 of 2")
    assert [each.gateway for each in row.lagging] == ["gateway-2"]


@pytest.mark.usefixtures("commander")
def test_a_silent_gateway_is_named_first(client, clock):
    factories.make_correction(state=State.ACTIVE)
    clock.shift(timedelta(seconds=30))

    shown = text(client.get(GATEWAYS))

    assert "Not as decided: gateway gateway-1." in shown
    assert "is silent, since" in shown


@pytest.mark.usefixtures("commander")
def test_without_gateways_nothing_can_be_verified(client):
    shown = text(client.get(GATEWAYS))

    assert "No gateway has ever reported: nothing can be verified." in shown
    assert "No policy was published yet." in shown


def test_a_silent_gateway_is_retired_with_a_reason_by_who_may(client, clock):
    gateways.show("gateway-9")
    clock.shift(timedelta(seconds=30))
    gateway = Gateway.objects.get()
    client.force_login(make_user(RoleCode.AUDITOR))
    refused = client.post(url("retire", gateway), {"reason": "Gone."})
    client.force_login(factories.make_officer())

    client.post(url("retire", gateway), {"reason": "Gone."})

    gateway.refresh_from_db()
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert gateway.retired_at is not None


def test_a_retired_gateway_that_reports_is_shown_and_taken_up_again_by_who_may(client, clock):
    gateways.show("gateway-9")
    clock.shift(timedelta(seconds=30))
    gateway, officer = Gateway.objects.get(), factories.make_officer()
    client.force_login(officer)
    client.post(url("retire", gateway), {"reason": "Gone."})
    silent = text(client.get(GATEWAYS))
    clock.shift(timedelta(seconds=2))
    gateways.show("gateway-9")
    heard = text(client.get(GATEWAYS))
    client.post(url("take_up", gateway), {"reason": "Repaired."})

    assert "Take up again" not in silent
    assert "It reports again, and does not count." in heard
    assert "Take up again" in heard
    gateway.refresh_from_db()
    assert gateway.retired_at is None
