"""Votes: bound to a digest, one per person, counted by the frozen authority."""

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from corrections import actions, authority
from corrections.models import AuthorityRule, PolicyVersion, Proposal, Vote
from corrections.selectors import change, eligible, payload_of, standing
from corrections.selectors.payload import digest
from corrections.states import Action, State, Verdict
from corrections.terms import Terms
from incidents.states import State as Stage
from irapp.accounts.models import RoleCode, RoleGrant
from irapp.audit.models import Event
from irapp.common.errors import ConflictError, InvalidError, NotPermittedError
from tests.corrections.factories import (
    approve,
    fresh,
    lift,
    make_commander,
    make_correction,
    make_draft,
    make_executive,
    make_officer,
    make_package,
    make_proposal,
    make_shutdown,
    make_terms,
)
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db


def vote(proposal, verdict=Verdict.APPROVE, *, by=None, reason="Because.", shown=None):
    return actions.vote(
        proposal_id=proposal.pk,
        verdict=verdict,
        reason=reason,
        digest=shown or proposal.digest,
        by=by or make_executive(),
    )


def test_a_proposer_cannot_approve_their_own_correction():
    both = make_user(RoleCode.COMMANDER, RoleCode.EXECUTIVE)
    proposal = make_proposal(by=both)

    with pytest.raises(NotPermittedError) as refused:
        vote(proposal, by=both)

    assert refused.value.code == "own_proposal"


def test_a_second_account_of_the_proposer_cannot_approve_either():
    person = uuid.uuid4()
    proposal = make_proposal(by=make_user(RoleCode.COMMANDER, person=person))

    with pytest.raises(NotPermittedError):
        vote(proposal, by=make_executive(person=person))


def test_two_accounts_of_one_person_are_one_voice():
    person = uuid.uuid4()
    proposal = make_proposal(terms=make_shutdown())
    vote(proposal, by=make_executive(person=person))

    again = vote(proposal, by=make_executive(person=person))

    assert again.repeated
    assert fresh(proposal.correction).state == State.PROPOSED


def test_a_repeated_vote_changes_nothing_and_says_so():
    officer, proposal = make_officer(), make_proposal()
    first = vote(proposal, by=officer)
    events, policies = Event.objects.count(), PolicyVersion.objects.count()

    second = vote(proposal, by=officer)

    assert (first.repeated, second.repeated) == (False, True)
    assert second.vote == first.vote
    assert (Event.objects.count(), PolicyVersion.objects.count()) == (events, policies)


def test_a_vote_cannot_be_turned_round():
    officer, proposal = make_officer(), make_proposal(terms=make_shutdown())
    vote(proposal, by=officer)

    with pytest.raises(ConflictError) as refused:
        vote(proposal, Verdict.REJECT, by=officer)

    assert refused.value.code == "already_voted"


def test_a_vote_on_another_digest_is_a_conflict():
    proposal = make_proposal()

    with pytest.raises(ConflictError) as refused:
        vote(proposal, shown="sha256:" + "0" * 64)

    assert refused.value.code == "digest_mismatch"
    assert not Vote.objects.exists()


def test_the_digest_is_of_the_very_bytes_that_are_shown():
    proposal = make_proposal(users={"users": ["mallory"]}, public_reason="Abuse.")

    shown = payload_of(Proposal.objects.get(pk=proposal.pk))

    assert digest(bytes(Proposal.objects.get(pk=proposal.pk).payload)) == proposal.digest
    assert shown["correction"]["users"]["users"] == ["mallory"]
    assert shown["action"] == "IMPOSE"


def test_an_edit_voids_the_votes():
    proposal = make_proposal(terms=make_shutdown())
    vote(proposal)
    correction = fresh(proposal.correction)

    edited = actions.revise_correction(
        correction_id=correction.pk,
        revision=correction.revision,
        terms=Terms.of(correction),
        by=make_commander(),
    )

    proposal.refresh_from_db()
    again = actions.propose(correction_id=edited.pk, by=make_commander())
    assert (proposal.state, edited.state, edited.revision) == ("WITHDRAWN", State.DRAFT, 2)
    assert again.digest != proposal.digest
    assert standing(again).counting == ()
    assert Event.objects.filter(verb="correction.returned_to_draft", target_id=edited.pk).exists()


def test_a_vote_on_what_was_edited_meanwhile_is_refused():
    proposal = make_proposal()
    correction = fresh(proposal.correction)
    actions.revise_correction(
        correction_id=correction.pk, revision=1, terms=Terms.of(correction), by=make_commander()
    )

    with pytest.raises(ConflictError) as refused:
        vote(proposal)

    assert refused.value.code == "already_decided"


def test_nobodys_edit_is_silently_lost():
    draft = make_draft()
    terms = Terms.of(draft)
    actions.revise_correction(correction_id=draft.pk, revision=1, terms=terms, by=make_commander())

    with pytest.raises(ConflictError) as refused:
        actions.revise_correction(correction_id=draft.pk, revision=1, terms=terms, by=make_commander())

    assert refused.value.code == "stale"


def test_with_a_quorum_of_two_one_is_not_enough():
    proposal = make_proposal(terms=make_shutdown())

    vote(proposal)

    assert fresh(proposal.correction).state == State.PROPOSED
    assert standing(proposal).missing == "waiting for 1 of 2 from duty officer or executive"


def test_with_a_quorum_of_two_the_second_carries_it_out():
    proposal = make_proposal(terms=make_shutdown())
    vote(proposal)

    vote(proposal, by=make_officer())

    assert fresh(proposal.correction).state == State.ENFORCING
    assert standing(proposal).met


def test_what_is_missing_names_the_role_that_has_to_be_among_them():
    proposal = make_proposal(terms=make_shutdown())
    assert standing(proposal).missing == (
        "waiting for 2 of 2 from duty officer or executive, among them executive"
    )

    vote(proposal, by=make_officer())

    assert standing(proposal).missing == "waiting for 1 of 2 from executive"


def test_one_no_ends_it():
    proposal = make_proposal(terms=make_shutdown())
    vote(proposal)

    vote(proposal, Verdict.REJECT, reason="Too broad.", by=make_officer())

    proposal.refresh_from_db()
    assert (proposal.state, proposal.closed_because) == ("REJECTED", "Too broad.")
    assert fresh(proposal.correction).state == State.REJECTED
    assert not PolicyVersion.objects.exists()


def test_a_no_to_lifting_leaves_it_in_force():
    correction = make_correction()
    proposal = actions.propose_lift(correction_id=correction.pk, reason="Fixed.", by=make_commander())

    vote(proposal, Verdict.REJECT)

    assert fresh(correction).state == State.ACTIVE


def test_whoever_lost_the_role_before_the_last_vote_no_longer_counts():
    officer, proposal = make_executive(), make_proposal(terms=make_shutdown())
    vote(proposal, by=officer)
    RoleGrant.objects.filter(user=officer).update(ends_at=timezone.now())

    vote(proposal, by=make_executive())

    assert fresh(proposal.correction).state == State.PROPOSED
    vote(proposal, by=make_officer())
    assert fresh(proposal.correction).state == State.ENFORCING


def test_a_role_lost_since_the_page_was_opened_is_noticed():
    officer, proposal = make_officer(), make_proposal()
    assert officer.has_role(RoleCode.DUTY_OFFICER)
    RoleGrant.objects.filter(user=officer).update(ends_at=timezone.now())

    with pytest.raises(NotPermittedError):
        vote(proposal, by=officer)


def test_the_authority_is_the_one_of_the_day_it_was_proposed():
    proposal = make_proposal(terms=make_shutdown())
    AuthorityRule.objects.update(quorum=1, must_include=[], roles=[RoleCode.COMMUNICATOR])

    vote(proposal)

    assert fresh(proposal.correction).state == State.PROPOSED


def test_lifting_is_never_easier_than_imposing():
    rules = AuthorityRule.objects.filter(action=Action.LIFT)
    rules.update(quorum=1, must_include=[])
    correction = make_correction(terms=make_shutdown())

    frozen = authority.freeze(correction, Action.LIFT)

    assert (frozen["quorum"], frozen["must_include"]) == (2, [RoleCode.EXECUTIVE])


def test_the_gravest_severity_that_is_reached_sets_the_clock():
    mild, grave = make_draft(), make_draft()
    type(mild.package.incident).objects.filter(pk=mild.package.incident_id).update(severity="MODERATE")
    type(mild.package.incident).objects.filter(pk=grave.package.incident_id).update(severity="CRITICAL")

    rules = [authority.rule_for(fresh(each), Action.IMPOSE).code for each in (mild, grave)]

    assert rules == ["T1/NARROW/LOW/IMPOSE", "T1/NARROW/CRITICAL/IMPOSE"]


def test_without_a_line_in_the_matrix_nobody_can_be_asked():
    draft = make_draft()
    AuthorityRule.objects.all().delete()

    with pytest.raises(ConflictError) as refused:
        actions.propose(correction_id=draft.pk, by=make_commander())

    assert refused.value.code == "no_authority"


def test_undecided_in_time_it_lapses_and_can_be_drafted_again(clock):
    proposal = make_proposal()
    clock.shift(proposal.authority["decide_within_seconds"] + 1)

    with pytest.raises(ConflictError) as refused:
        vote(proposal)
    actions.tick(now=timezone.now())

    proposal.refresh_from_db()
    assert refused.value.code == "lapsed"
    assert (proposal.state, fresh(proposal.correction).state) == ("LAPSED", State.EXPIRED)
    again = actions.revise_correction(
        correction_id=proposal.correction_id,
        revision=1,
        terms=make_terms(),
        by=make_commander(),
    )
    assert again.state == State.DRAFT


def test_a_lift_that_nobody_decides_leaves_it_in_force(clock):
    correction = make_correction(expires_at=None)
    proposal = actions.propose_lift(correction_id=correction.pk, reason="Fixed.", by=make_commander())
    clock.shift(proposal.authority["decide_within_seconds"] + 1)

    actions.tick(now=timezone.now())

    proposal.refresh_from_db()
    assert (proposal.state, fresh(correction).state) == ("LAPSED", State.ACTIVE)


def test_it_waits_in_the_inbox_of_those_who_can_still_decide():
    officer, voted = make_officer(), make_executive()
    proposal = make_proposal(terms=make_shutdown())
    vote(proposal, by=voted)
    now = timezone.now()

    def waiting(user):
        return list(Proposal.objects.awaiting(user, now=now))

    assert waiting(officer) == [proposal]
    assert waiting(voted) == waiting(proposal.proposer) == waiting(make_commander()) == []
    assert set(eligible(proposal)) >= {officer}
    assert voted not in eligible(proposal)


def test_only_one_question_at_a_time():
    correction = make_correction()
    actions.propose_lift(correction_id=correction.pk, reason="Fixed.", by=make_commander())

    with pytest.raises(ConflictError) as refused:
        actions.propose_permanent(correction_id=correction.pk, reason="Stays.", by=make_commander())

    assert refused.value.code == "proposal_open"


def test_corrections_are_proposed_in_execution():
    draft = make_draft(package=make_package(stage=Stage.MONITORING))

    with pytest.raises(ConflictError) as refused:
        actions.propose(correction_id=draft.pk, by=make_commander())

    assert refused.value.code == "wrong_stage"


def test_a_precaution_may_come_before_execution():
    draft = make_draft(package=make_package(stage=Stage.MONITORING, precaution=True))

    assert actions.propose(correction_id=draft.pk, by=make_commander()).is_open


def test_what_would_have_expired_cannot_be_approved(clock):
    now = timezone.now()
    soon = now + timedelta(minutes=5)
    proposal = make_proposal(expires_at=soon, review_at=soon)
    clock.shift(301)

    with pytest.raises(ConflictError) as refused:
        vote(proposal)

    assert refused.value.code == "expired"


def test_a_reason_has_to_be_given():
    with pytest.raises(InvalidError) as refused:
        vote(make_proposal(), reason="  ")

    assert refused.value.field == "reason"


def test_a_failure_in_the_middle_leaves_nothing_behind(monkeypatch):
    proposal = make_proposal()
    before = Event.objects.count()

    def broken(**_):
        raise RuntimeError

    monkeypatch.setattr("corrections.actions.executing.publish", broken)
    with pytest.raises(RuntimeError), transaction.atomic():
        vote(proposal)

    proposal.refresh_from_db()
    assert proposal.is_open
    assert not Vote.objects.exists()
    assert Event.objects.count() == before


def test_a_missing_signing_key_refuses_the_decision_and_says_why(settings):
    settings.POLICY_SIGNING_KEY_FILE = ""

    with pytest.raises(ConflictError) as refused, transaction.atomic():
        vote(make_proposal())

    assert refused.value.code == "no_signing_key"


def test_votes_cannot_be_changed_or_removed():
    cast = vote(make_proposal()).vote

    with pytest.raises(IntegrityError), transaction.atomic():
        Vote.objects.filter(pk=cast.pk).update(verdict=Verdict.REJECT)
    with pytest.raises(IntegrityError), transaction.atomic():
        Vote.objects.filter(pk=cast.pk).delete()


def test_what_stays_for_good_loses_its_expiry():
    correction = make_correction()
    proposal = actions.propose_permanent(correction_id=correction.pk, reason="It stays.", by=make_commander())
    approve(proposal)
    approve(proposal)

    correction = fresh(correction)
    assert correction.state == State.PERMANENT
    assert b"expires_at" not in bytes(PolicyVersion.objects.first().content) or (
        b'"expires_at":null' in bytes(PolicyVersion.objects.first().content)
    )
    assert change(correction) == {}


def test_what_is_permanent_can_still_be_lifted():
    correction = make_correction()
    proposal = actions.propose_permanent(correction_id=correction.pk, reason="It stays.", by=make_commander())
    approve(proposal)
    approve(proposal)

    assert lift(correction).state == State.LIFTING
