"""Whoever wrote on a draft, or ever proposed it, decides nothing about it, whoever saved it last."""

import pytest
from django.db import DatabaseError, connection, transaction

from corrections import actions, serializers
from corrections.models import Author, Correction, Proposal
from corrections.panels.decision import proposal_page
from corrections.selectors import eligible, standing
from corrections.states import ProposalState
from irapp.accounts.actions import join_accounts
from irapp.accounts.models import RoleCode, User
from irapp.common.errors import NotPermittedError
from tests.corrections import factories
from tests.incidents.factories import make_commander
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db


def make_both(**named):
    """Somebody who responds and decides: each on something else."""
    return make_user(RoleCode.COMMANDER, RoleCode.DUTY_OFFICER, **named)


def revise(draft, *, by):
    draft.refresh_from_db(fields=["revision"])
    terms = factories.make_terms()
    return actions.revise_correction(correction_id=draft.pk, revision=draft.revision, terms=terms, by=by)


def propose(draft, *, by=None):
    proposal = actions.propose(correction_id=draft.pk, by=by or make_commander())
    return Proposal.objects.get(pk=proposal.pk)


def drafted(both):
    """They wrote first; somebody else saved it last."""
    draft = factories.make_draft(by=both)
    revise(draft, by=make_commander())
    return propose(draft)


def between(both):
    """They wrote neither first nor last."""
    draft = factories.make_draft(by=make_commander())
    revise(draft, by=both)
    revise(draft, by=make_commander())
    return propose(draft)


def proposed_before(both):
    """They proposed it once; it was edited and proposed by others since."""
    draft = factories.make_draft(by=make_commander())
    propose(draft, by=both)
    revise(draft, by=make_commander())
    return propose(draft)


def let_lapse(both):
    """They proposed it, and nobody decided in time."""
    draft = factories.make_draft(by=make_commander())
    lapsed = propose(draft, by=both)
    actions.tick(now=lapsed.decide_by)
    revise(draft, by=make_commander())
    return propose(draft)


def copied_and_rewritten(both):
    """They drafted the next version; somebody else rewrote it."""
    base = factories.make_correction(by=make_commander())
    version = actions.draft_version(correction_id=base.pk, by=both)
    revise(version, by=make_commander())
    return propose(version)


def proposes(both):
    return propose(factories.make_draft(by=make_commander()), by=both)


def wrote_with_the_release_before(both):
    """They saved it last, by a program that keeps no authors."""
    draft = factories.make_draft(by=make_commander())
    Correction.objects.filter(pk=draft.pk).update(drafted_by=both)
    return propose(draft)


WAYS = [
    *(drafted, between, proposed_before, let_lapse, copied_and_rewritten, proposes),
    wrote_with_the_release_before,
]


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
@pytest.mark.parametrize("verdict", ["APPROVE", "REJECT"])
def test_who_wrote_on_it_does_not_decide_on_it(way, verdict):
    both = make_both()
    proposal = way(both)

    with pytest.raises(NotPermittedError, match="does not decide") as refused:
        actions.vote(
            proposal_id=proposal.pk, verdict=verdict, reason="Mine.", digest=proposal.digest, by=both
        )

    assert refused.value.code == "own_proposal"
    assert both not in eligible(proposal)
    assert not Proposal.objects.awaiting(both, now=proposal.proposed_at).exists()


def test_who_wrote_an_earlier_version_decides_on_the_next_one():
    both = make_both()
    base = factories.make_correction(by=both)
    proposal = propose(actions.draft_version(correction_id=base.pk, by=make_commander()))

    assert both in eligible(proposal)
    assert Proposal.objects.awaiting(both, now=proposal.proposed_at).exists()


def test_who_wrote_a_restriction_may_say_whether_it_is_lifted():
    both = make_both()
    correction = factories.make_correction(by=both)
    asked = actions.propose_lift(correction_id=correction.pk, reason="Fixed.", by=make_commander())

    factories.approve(asked, by=both)

    assert Proposal.objects.get(pk=asked.pk).state == ProposalState.APPROVED


def test_another_account_of_a_writer_does_not_decide_either():
    writer, other = make_both(), make_both()
    proposal = drafted(writer)
    join_accounts(user_id=other.pk, same_as_id=writer.pk, by=make_user(RoleCode.ADMINISTRATOR))
    other = User.objects.get(pk=other.pk)

    with pytest.raises(NotPermittedError, match="does not decide"):
        factories.approve(proposal, by=other)
    assert not Proposal.objects.awaiting(other, now=proposal.proposed_at).exists()


def test_a_vote_of_somebody_who_turns_out_to_have_written_on_it_no_longer_counts():
    writer, voter = make_both(), factories.make_officer()
    draft = factories.make_draft(by=writer, terms=factories.make_shutdown())
    revise_as = factories.make_shutdown()
    actions.revise_correction(correction_id=draft.pk, revision=1, terms=revise_as, by=make_commander())
    proposal = propose(draft)
    factories.approve(proposal, by=voter)
    join_accounts(user_id=voter.pk, same_as_id=writer.pk, by=make_user(RoleCode.ADMINISTRATOR))

    assert standing(Proposal.objects.get(pk=proposal.pk)).counting == ()


def test_the_page_and_the_api_say_who_cannot_decide_and_why():
    writer, proposer = make_both(name="Wanda"), make_both(name="Piet")
    draft = factories.make_draft(by=writer)
    revise(draft, by=proposer)
    proposal = propose(draft, by=proposer)

    page, told = proposal_page(proposal, writer), serializers.OneProposal(proposal).data

    assert page.deciding.groups[0]["barred"] == ["Piet (proposed it)", "Wanda (wrote on it)"]
    assert "wrote" in page.why_not
    assert told["barred"] == [
        {"user": proposer.username, "because": "PROPOSED"},
        {"user": writer.username, "because": "WROTE"},
    ]


@pytest.mark.parametrize(
    "change", [{"barred": []}, {"digest": "sha256:other"}, {"payload": b"{}"}, {"authority": {}}], ids=str
)
def test_what_a_proposal_says_and_whom_it_bars_does_not_change(change):
    proposal = drafted(make_both())

    with pytest.raises(DatabaseError, match="keeps what it says"), transaction.atomic():
        Proposal.objects.filter(pk=proposal.pk).update(**change)


@pytest.mark.parametrize("statement", ["UPDATE {} SET revision = 9", "DELETE FROM {}", "TRUNCATE {}"])
def test_who_wrote_is_not_rewritten(statement):
    drafted(make_both())
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(Author._meta.db_table))
