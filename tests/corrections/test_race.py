"""Two final votes at once, with real commits: one policy, one move. Seen failing with the locks taken out."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError, get_ident
from threading import Event as ThreadEvent

import pytest
from django.db import connection

from corrections import actions
from corrections.authority import check_not_grown
from corrections.models import PolicyVersion, Proposal, Vote
from corrections.publishing.compile import _one_at_a_time as one_at_a_time
from corrections.publishing.evaluate import evaluate
from corrections.selectors import standing
from corrections.states import State
from irapp.audit.models import Event, OutboxItem
from irapp.common.errors import ConflictError
from tests.corrections.factories import (
    approve,
    decide,
    fresh,
    make_commander,
    make_correction,
    make_draft,
    make_executive,
    make_proposal,
    make_shutdown,
)
from tests.corrections.test_exemptions import make_exemption_terms

pytestmark = pytest.mark.django_db(transaction=True)


def together(*calls):
    """Make the calls at the same moment; give what each returned or raised."""
    begin = Barrier(len(calls), timeout=60)

    def run(call):
        try:
            begin.wait()
            return call()
        except ConflictError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def voting(proposal):
    person = make_executive()
    return lambda: approve(proposal, by=person)


def test_two_final_votes_carry_it_out_once(monkeypatch):
    proposal = make_proposal(terms=make_shutdown())
    both_voted = Barrier(2)

    def count_when_both_voted(asked):  # both votes are in, neither has committed
        with suppress(BrokenBarrierError):
            both_voted.wait(timeout=0.5)
        return standing(asked)

    monkeypatch.setattr("corrections.actions.voting.standing", count_when_both_voted)
    together(voting(proposal), voting(proposal))

    assert fresh(proposal.correction).state == State.ENFORCING
    assert PolicyVersion.objects.count() == 1
    assert OutboxItem.objects.filter(handler="policy.deliver").count() == 1
    assert Event.objects.filter(verb="correction.approved").count() == 1


def test_of_two_votes_where_one_is_enough_the_second_comes_too_late():
    proposal = make_proposal()

    answers = together(voting(proposal), voting(proposal))

    assert [type(answer).__name__ for answer in answers].count("Ballot") == 1
    assert Vote.objects.count() == PolicyVersion.objects.count() == 1


def test_two_clicks_of_one_person_are_one_vote():
    proposal, person = make_proposal(terms=make_shutdown()), make_executive()

    answers = together(*[lambda: approve(proposal, by=person)] * 2)

    assert sorted(answer.repeated for answer in answers) == [False, True]
    assert Vote.objects.count() == 1


def test_two_decisions_at_once_are_both_in_the_newest_policy():
    proposals = [make_proposal(), make_proposal()]

    together(*map(voting, proposals))

    newest = bytes(PolicyVersion.objects.first().content).decode()
    assert [version.version for version in PolicyVersion.objects.all()] == [2, 1]
    assert all(str(proposal.correction) in newest for proposal in proposals)


def test_a_vote_and_an_edit_at_once_never_execute_what_was_not_shown():
    proposal = make_proposal()
    terms = actions.drafting.Terms.of(proposal.correction)
    editor = make_commander()

    def edit():
        return actions.revise_correction(
            correction_id=proposal.correction_id, revision=1, terms=terms, by=editor
        )

    together(voting(proposal), edit)

    proposal.refresh_from_db()
    state = fresh(proposal.correction).state
    assert (proposal.state, state) in {("APPROVED", State.ENFORCING), ("WITHDRAWN", State.DRAFT)}


def test_one_draft_is_proposed_once():
    draft, person = make_draft(), make_commander()

    answers = together(*[lambda: actions.propose(correction_id=draft.pk, by=person)] * 2)

    assert sum(isinstance(answer, ConflictError) for answer in answers) == 1


def test_an_edit_and_a_proposal_at_once_bar_whoever_edited():
    draft, writer, proposer = make_draft(), make_commander(), make_commander()
    terms = actions.drafting.Terms.of(draft)

    def edit():
        return actions.revise_correction(correction_id=draft.pk, revision=1, terms=terms, by=writer)

    together(edit, lambda: actions.propose(correction_id=draft.pk, by=proposer))

    (asked,) = Proposal.objects.all()
    now = fresh(draft)
    assert now.drafted_by == writer
    assert (asked.is_open, now.state) in {(True, State.PROPOSED), (False, State.DRAFT)}
    assert asked.is_open == (str(writer.pk) in asked.barred)


def test_an_older_version_is_lifted_while_the_newer_one_fails(monkeypatch):
    """One holds the policy and wants the older one again; the other holds that and wants the policy."""
    older = make_correction()
    newer = decide(
        actions.propose(
            correction_id=actions.draft_version(correction_id=older.pk, by=make_commander()).pk,
            by=make_commander(),
        )
    )
    lift = actions.propose_lift(correction_id=older.pk, reason="Over.", by=make_commander())
    person, both_hold, compiling, failing = make_executive(), Barrier(2), ThreadEvent(), []

    def in_turn():  # each holds its own rows; the failing one compiles first
        with suppress(BrokenBarrierError):
            both_hold.wait(timeout=1)
        if get_ident() not in failing:
            compiling.wait(timeout=1)
        one_at_a_time()
        compiling.set()

    def fail():
        failing.append(get_ident())
        evaluate(now=newer.execute_by)

    monkeypatch.setattr("corrections.publishing.compile._one_at_a_time", in_turn)
    together(fail, lambda: approve(lift, by=person))

    assert (fresh(older).state, fresh(newer).state) == (State.LIFTING, State.FAILED)
    newest = bytes(PolicyVersion.objects.first().content).decode()
    assert (str(newer) in newest, str(older) in newest) == (True, False)


def test_what_an_exemption_spares_from_does_not_grow_between_the_check_and_the_decision(monkeypatch):
    spared = make_correction()
    exemption = make_proposal(terms=make_exemption_terms(spared))
    stays = actions.propose_permanent(correction_id=spared.pk, reason="It stays.", by=make_commander())
    approve(stays)
    people, checked, grown = [make_executive(), make_executive()], ThreadEvent(), ThreadEvent()

    def check_slowly(proposal):
        check_not_grown(proposal)
        if proposal.pk == exemption.pk:
            checked.set()
            grown.wait(timeout=1)

    def grow():
        checked.wait(timeout=5)
        approve(stays, by=people[1])
        grown.set()

    monkeypatch.setattr("corrections.policies.check_not_grown", check_slowly)
    together(lambda: approve(exemption, by=people[0]), grow)

    decided = Event.objects.filter(verb__in=["correction.approved", "correction.made_permanent"])
    assert [event.target_name for event in decided.order_by("pk")[1:]] == [
        str(exemption.correction),
        str(spared),
    ]
