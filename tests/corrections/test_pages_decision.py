from datetime import timedelta
from http import HTTPStatus

import pytest

from corrections import actions
from corrections.models import Vote
from corrections.states import ProposalState, State
from corrections.terms import Terms
from irapp.accounts.models import RoleCode
from tests.corrections import factories, gateways
from tests.corrections.pages import text, url
from tests.incidents.factories import make_commander
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db


def voted(proposal, **changes):
    plain = {"verdict": "APPROVE", "reason": "Proportionate.", "digest": proposal.digest}
    return {name: value for name, value in (plain | changes).items() if value is not None}


@pytest.fixture
def officer(client):
    officer = factories.make_officer(name="Dora")
    client.force_login(officer)
    return officer


@pytest.mark.usefixtures("officer")
def test_the_page_says_what_for_whom_why_by_whom_and_until_when(client):
    by = make_commander(name="Connor")
    proposal = factories.make_proposal(terms=factories.make_shutdown(), by=by)

    response = client.get(url("proposal", proposal))

    page, shown = response.context["page"], text(response)
    model = proposal.correction.functionality["models"][0]
    assert page.changing.sentence.startswith(f"Stops {model} for everyone")
    assert "It touches everyone" in [caution.title for caution in page.cautions]
    assert "Blocking accounts was evaded twice." in shown
    assert "&quot;code&quot;: &quot;model_suspended&quot;" in shown
    assert "Dora (duty officer)" in page.deciding.groups[0]["eligible"]
    assert "Waiting for 2 of 2 from duty officer or executive, among them executive" in shown
    assert proposal.digest in shown
    assert proposal.decide_by.strftime("until %Y-%m-%d %H:%M UTC") in shown
    assert proposal.correction.package.incident.get_absolute_url() in shown


@pytest.mark.usefixtures("officer")
def test_a_vote_takes_two_steps_and_the_first_stores_nothing(client):
    proposal = factories.make_proposal()

    review = client.post(url("review", proposal), voted(proposal))

    assert review.status_code == HTTPStatus.OK
    assert "You are about to approve" in text(review)
    assert not Vote.objects.exists()
    assert factories.fresh(proposal.correction).state == State.PROPOSED


def test_the_second_step_votes_and_leads_to_where_the_gateways_can_be_watched(client, officer):
    proposal = factories.make_proposal()

    response = client.post(url("vote", proposal), voted(proposal))

    assert response.url == url("detail", proposal.correction)
    assert factories.fresh(proposal.correction).state == State.ENFORCING
    assert Vote.objects.get().user == officer


@pytest.mark.usefixtures("officer")
def test_a_second_click_changes_nothing_and_says_so(client):
    proposal = factories.make_proposal()
    client.post(url("vote", proposal), voted(proposal))

    response = client.post(url("vote", proposal), voted(proposal), follow=True)

    assert "Your approval was recorded already. Nothing was changed." in text(response)
    assert Vote.objects.count() == 1


@pytest.mark.usefixtures("officer")
def test_one_of_two_is_told_who_is_still_missing(client):
    proposal = factories.make_proposal(terms=factories.make_shutdown())

    response = client.post(url("vote", proposal), voted(proposal), follow=True)

    assert "Your approval counts. Waiting for 1 of 2 from executive" in text(response)
    assert "You approved this" in text(response)
    assert factories.fresh(proposal.correction).state == State.PROPOSED


@pytest.mark.usefixtures("officer")
def test_one_rejection_ends_it(client):
    proposal = factories.make_proposal()

    review = client.post(url("review", proposal), voted(proposal, verdict="REJECT"))
    response = client.post(url("vote", proposal), voted(proposal, verdict="REJECT"), follow=True)

    assert "One rejection ends the proposal" in text(review)
    assert "Your rejection decided it: rejected." in text(response)
    assert factories.fresh(proposal.correction).state == State.REJECTED


@pytest.mark.parametrize("step", ["review", "vote"])
@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("verdict", {"verdict": None}),
        ("verdict", {"verdict": "MAYBE"}),
        ("reason", {"reason": "  "}),
        ("reason", {"reason": "x" * 4_001}),
        ("digest", {"digest": None}),
        ("digest", {"digest": "x" * 72}),
    ],
)
@pytest.mark.usefixtures("officer")
def test_what_a_vote_lacks_is_named_and_the_reason_stays(client, step, field, changes):
    proposal = factories.make_proposal()

    response = client.post(url(step, proposal), voted(proposal, **changes))

    form = response.context["form"]
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert list(form.errors) == [field]
    assert form["reason"].value() == voted(proposal, **changes).get("reason")
    assert not Vote.objects.exists()


@pytest.mark.parametrize("step", ["review", "vote"])
@pytest.mark.usefixtures("officer")
def test_another_digest_than_the_one_proposed_is_a_conflict(client, step):
    proposal = factories.make_proposal()

    response = client.post(url(step, proposal), voted(proposal, digest="sha256:" + "0" * 64))

    assert response.status_code == HTTPStatus.CONFLICT
    assert "Your vote was not counted" in text(response)
    assert not Vote.objects.exists()


@pytest.mark.parametrize("step", ["review", "vote"])
@pytest.mark.usefixtures("officer")
def test_a_stale_page_is_told_what_changed_and_where_the_new_question_is(client, step):
    by = make_commander()
    proposal = factories.make_proposal(terms=factories.make_terms(users={"users": ["alice"]}), by=by)
    wider = Terms.of(factories.fresh(proposal.correction)).__dict__ | {"users": {"users": ["alice", "bob"]}}
    actions.revise_correction(correction_id=proposal.correction_id, revision=1, terms=Terms(**wider), by=by)
    newer = actions.propose(correction_id=proposal.correction_id, by=by)

    response = client.post(url(step, proposal), voted(proposal))

    assert response.status_code == HTTPStatus.CONFLICT
    assert [(row.label, row.old, row.new) for row in response.context["rows"]] == [
        ("Users", "alice", "alice, bob")
    ]
    assert url("proposal", newer) in text(response)
    assert not Vote.objects.exists()


@pytest.mark.usefixtures("officer")
def test_what_others_decided_in_the_meantime_is_a_conflict(client):
    proposal = factories.make_proposal()
    factories.approve(proposal)

    response = client.post(url("vote", proposal), voted(proposal))

    assert response.status_code == HTTPStatus.CONFLICT
    assert "approved already" in text(response)
    assert Vote.objects.count() == 1


@pytest.mark.usefixtures("officer")
def test_a_second_opinion_is_refused(client):
    proposal = factories.make_proposal(terms=factories.make_shutdown())
    client.post(url("vote", proposal), voted(proposal))

    response = client.post(url("vote", proposal), voted(proposal, verdict="REJECT"))

    assert response.status_code == HTTPStatus.CONFLICT
    assert "You have voted already: approve." in text(response)


@pytest.mark.usefixtures("officer")
def test_after_the_deadline_nobody_votes(client, clock):
    proposal = factories.make_proposal()
    clock.shift(proposal.decide_by - proposal.proposed_at + timedelta(seconds=1))

    shown = client.get(url("proposal", proposal))
    response = client.post(url("vote", proposal), voted(proposal))

    assert "The time to decide is over." in text(shown)
    assert response.status_code == HTTPStatus.CONFLICT


def test_the_proposer_reads_why_they_cannot_decide(client):
    both = make_user(RoleCode.COMMANDER, RoleCode.EXECUTIVE)
    proposal = factories.make_proposal(by=both)
    client.force_login(both)

    shown = client.get(url("proposal", proposal))
    response = client.post(url("vote", proposal), voted(proposal))

    assert "Whoever proposed it does not decide." in text(shown)
    assert "Review my decision" not in text(shown)
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert not Vote.objects.exists()


@pytest.mark.parametrize(
    "role",
    [RoleCode.RESPONDER, RoleCode.COMMANDER, RoleCode.COMMUNICATOR, RoleCode.AUDITOR, RoleCode.ADMINISTRATOR],
)
def test_other_roles_read_everything_and_decide_nothing(client, role):
    proposal = factories.make_proposal()
    client.force_login(make_user(role))

    shown = client.get(url("proposal", proposal))

    assert "This is decided by duty officer or executive." in text(shown)
    assert "Review my decision" not in text(shown)
    for step in ("review", "vote"):
        assert client.post(url(step, proposal), voted(proposal)).status_code == HTTPStatus.FORBIDDEN
    assert not Vote.objects.exists()


@pytest.mark.parametrize("step", ["review", "vote"])
@pytest.mark.usefixtures("officer")
def test_a_vote_is_never_cast_by_a_link(client, step):
    proposal = factories.make_proposal()

    assert client.get(url(step, proposal), voted(proposal)).status_code == HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.usefixtures("officer")
def test_a_proposal_to_lift_says_what_ends(client):
    correction = factories.make_correction(users={"users": ["alice"]})
    proposal = actions.propose_lift(correction_id=correction.pk, reason="It is fixed.", by=make_commander())

    shown = text(client.get(url("proposal", proposal)))

    assert "Ends what is in force now: Refuses user alice" in shown
    assert "It is fixed." in shown


@pytest.mark.usefixtures("officer")
def test_a_new_version_shows_what_it_changes(client):
    by = make_commander()
    correction = factories.make_correction(users={"users": ["alice"]})
    said = Terms.of(correction).__dict__ | {"users": {"users": ["alice", "bob"]}}
    draft = actions.draft_version(correction_id=correction.pk, terms=Terms(**said), by=by)
    proposal = actions.propose(correction_id=draft.pk, by=by)

    rows = client.get(url("proposal", proposal)).context["page"].changing.rows

    assert [(row.label, row.old, row.new) for row in rows if row.changed] == [
        ("Users", "alice", "alice, bob")
    ]


def test_a_proposal_is_withdrawn_after_a_second_look(client):
    by = make_commander()
    proposal = factories.make_proposal(by=by)
    client.force_login(by)

    looked = client.get(url("withdraw", proposal))
    client.post(url("withdraw", proposal), {"reason": "A better one comes."})

    proposal.refresh_from_db()
    assert "Nobody can decide it any more." in text(looked)
    assert (proposal.state, proposal.closed_because) == (ProposalState.WITHDRAWN, "A better one comes.")


@pytest.mark.usefixtures("officer")
def test_the_page_asks_the_same_questions_for_many_votes_as_for_one(client, django_assert_max_num_queries):
    proposal = factories.make_proposal(terms=factories.make_shutdown())
    for _ in range(3):
        factories.make_executive()
    gateways.show()

    with django_assert_max_num_queries(20):
        client.get(url("proposal", proposal))
