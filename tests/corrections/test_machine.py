"""Whatever people, gateways and the clock do in whatever order: these things always hold."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from corrections import actions
from corrections.models import Correction, Gateway, PolicyVersion, Proposal
from corrections.publishing.compile import compiled
from corrections.publishing.evaluate import evaluate
from corrections.states import IN_POLICY, Action, ProposalState, State, Verdict
from enforcement import policy
from irapp.accounts.models import RoleCode
from irapp.audit.models import Event
from irapp.common.errors import DomainError
from tests.corrections import gateways
from tests.corrections.factories import (
    make_commander,
    make_executive,
    make_officer,
    make_package,
    make_shutdown,
    make_terms,
)
from tests.irapp.factories import make_user


def some(*states):
    """Mostly a correction in one of the states, now and then any other."""
    return st.runner().flatmap(
        lambda machine: st.sampled_from(machine.known(states) * 4 + machine.known() or [0])
    )


def _terms(*, grave, later, short, end):
    now = timezone.now()
    ends = now + (timedelta(minutes=20) if short else timedelta(hours=24))
    starts = now + timedelta(minutes=3) if later else None
    make = make_shutdown if grave else make_terms
    return make(starts_at=starts, review_at=ends, expires_at=ends, at_expiry=end)


# Terms are made when they are used, by the clock of that moment.
TERMS = st.builds(
    partial,
    st.just(_terms),
    grave=st.booleans(),
    later=st.booleans(),
    short=st.booleans(),
    end=st.sampled_from(["hold", "lift"]),
)
IN_FORCE = some(*sorted(IN_POLICY))
OPEN = st.runner().flatmap(lambda machine: st.sampled_from(machine.asked() or [0]))
LIVING = frozenset({State.DRAFT, State.PROPOSED})


class Machine(RuleBasedStateMachine):
    people = Bundle("people")

    def __init__(self):
        super().__init__()
        self.clock = time_machine.travel(datetime(2026, 5, 1, tzinfo=UTC), tick=False)
        self.time = self.clock.start()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.newest = 0

    def teardown(self):
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)
        self.clock.stop()

    def known(self, states=tuple(State)):
        return list(Correction.objects.filter(state__in=states).order_by("pk").values_list("pk", flat=True))

    def asked(self):
        """Open questions come up most, closed ones now and then."""
        every = Proposal.objects.order_by("pk").values_list("pk", flat=True)
        return list(every.open()) * 4 + list(every)

    def attempt(self, action, **named):
        """Try it; whatever is refused leaves no trace."""
        if 0 in named.values():
            return
        events = Event.objects.count()
        try:
            with transaction.atomic():
                action(**named)
        except DomainError:
            assert Event.objects.count() == events

    @initialize(target=people)
    def house(self):
        self.package = make_package()
        self.both = make_user(RoleCode.COMMANDER, RoleCode.EXECUTIVE)
        self.boss = make_commander()
        self.deciders = [self.both, make_officer(), make_executive(), make_executive()]
        return multiple(self.boss, *self.deciders)

    # The usual ways, several steps at once; the rules further down do the unusual.

    @rule(terms=TERMS, decided=st.booleans(), own=st.booleans())
    def ask(self, terms, decided, own):
        by = self.both if own else self.boss
        draft = actions.draft_correction(package_id=self.package.pk, terms=terms(), by=by)
        proposal = actions.propose(correction_id=draft.pk, by=by)
        if decided:
            self.decide(proposal.pk)

    @rule(correction=IN_FORCE, terms=TERMS, decided=st.booleans())
    def change(self, correction, terms, decided):
        """Ask for a next version."""
        self.attempt(actions.draft_version, correction_id=correction, terms=terms(), by=self.boss)
        for draft in self.known([State.DRAFT]):
            self.propose(by=self.boss, correction=draft)
        if decided:
            for proposal in Proposal.objects.open().values_list("pk", flat=True):
                self.decide(proposal)

    @rule(proposal=OPEN)
    def decide(self, proposal):
        for person in self.deciders:
            self.vote(by=person, proposal=proposal, verdict=Verdict.APPROVE)

    @rule()
    def all_is_well(self):
        """Every gateway shows what its policy says."""
        self.time.shift(1)
        for name in Gateway.objects.values_list("name", flat=True) or ["gateway-1"]:
            gateways.show(name)

    @rule(by=people, terms=TERMS)
    def draft(self, by, terms):
        self.attempt(actions.draft_correction, package_id=self.package.pk, terms=terms(), by=by)

    @rule(by=people, correction=some(State.DRAFT))
    def propose(self, by, correction):
        self.attempt(actions.propose, correction_id=correction, by=by)

    @rule(by=people, correction=some(State.DRAFT, State.PROPOSED, State.EXPIRED))
    def revise(self, by, correction):
        stored = Correction.objects.filter(pk=correction).first()
        revision = stored.revision if stored else 1
        terms = make_terms()
        self.attempt(
            actions.revise_correction, correction_id=correction, revision=revision, terms=terms, by=by
        )

    @rule(by=people, correction=IN_FORCE)
    def draft_version(self, by, correction):
        self.attempt(actions.draft_version, correction_id=correction, by=by)

    @rule(by=people, correction=IN_FORCE)
    def propose_lift(self, by, correction):
        self.attempt(actions.propose_lift, correction_id=correction, reason="Fixed.", by=by)

    @rule(by=people, correction=some(State.ACTIVE))
    def propose_permanent(self, by, correction):
        self.attempt(actions.propose_permanent, correction_id=correction, reason="It stays.", by=by)

    @rule(by=people, correction=some(State.FAILED))
    def retry(self, by, correction):
        self.attempt(actions.retry, correction_id=correction, by=by)

    @rule(by=people, proposal=OPEN)
    def withdraw(self, by, proposal):
        self.attempt(actions.withdraw, proposal_id=proposal, by=by)

    @rule(by=people, proposal=OPEN, verdict=st.sampled_from(["APPROVE"] * 4 + ["REJECT"]))
    def vote(self, by, proposal, verdict):
        asked = Proposal.objects.filter(pk=proposal).first()
        digest = asked.digest if asked else ""
        self.attempt(
            actions.vote, proposal_id=proposal, verdict=verdict, reason="Because.", digest=digest, by=by
        )

    @rule(name=st.sampled_from(["gateway-1", "gateway-2"]), bad=st.booleans())
    def report(self, name, bad):
        self.time.shift(1)
        wrong = {each.policy_id for each in Correction.objects.all()} if bad else ()
        gateways.show(name, wrong=wrong)

    @rule(seconds=st.sampled_from([1, 8, 200, 1000, 100_000]))
    def time_passes(self, seconds):
        self.time.shift(seconds)
        actions.tick(now=timezone.now())
        evaluate(now=timezone.now())

    @invariant()
    def the_policy_says_what_is_wanted(self):
        newest = PolicyVersion.objects.first()
        if newest is not None:
            assert newest.digest == policy.digest(compiled(now=timezone.now()))
            assert bytes(newest.content) == policy.canonical(compiled(now=timezone.now()))

    @invariant()
    def versions_only_grow_and_name_their_content(self):
        versions = list(PolicyVersion.objects.values_list("version", flat=True))
        assert versions == sorted(range(1, len(versions) + 1), reverse=True)
        assert len(versions) >= self.newest
        self.newest = len(versions)

    @invariant()
    def nothing_is_in_force_that_enough_others_have_not_approved(self):
        for correction in Correction.objects.filter(state__in=[*IN_POLICY, State.LIFTING, State.LIFTED]):
            decided = correction.proposals.filter(state=ProposalState.APPROVED, action=Action.IMPOSE).get()
            votes = decided.votes.filter(verdict=Verdict.APPROVE, digest=decided.digest)
            people = set(votes.values_list("person", flat=True))
            assert len(people) >= decided.authority["quorum"]
            assert decided.proposer.person not in people

    @invariant()
    def nothing_is_lifted_that_nobody_decided_to_lift(self):
        for correction in Correction.objects.filter(state__in=[State.LIFTING, State.LIFTED]):
            decided = correction.proposals.filter(state=ProposalState.APPROVED, action=Action.LIFT)
            over = correction.at_expiry == "lift" and correction.expires_at <= timezone.now()
            assert decided.exists() or over

    @invariant()
    def an_open_question_belongs_to_something_it_can_still_change(self):
        for proposal in Proposal.objects.open().select_related("correction"):
            asked = {State.PROPOSED} if proposal.action == Action.IMPOSE else IN_POLICY
            assert proposal.correction.state in asked
        proposed = Correction.objects.filter(state=State.PROPOSED)
        assert all(each.proposals.open().count() == 1 for each in proposed)

    @invariant()
    def one_change_of_a_correction_at_a_time(self):
        open_changes = Correction.objects.filter(state__in=LIVING).values_list("reference", flat=True)
        assert max(Counter(open_changes).values(), default=0) <= 1

    @invariant()
    def every_move_left_its_event(self):
        moved = Correction.objects.exclude(state=State.DRAFT).values_list("pk", flat=True)
        told = Event.objects.filter(target_type="corrections.correction").exclude(verb="correction.drafted")
        assert set(moved) <= set(told.values_list("target_id", flat=True))


@pytest.mark.django_db
def test_whatever_happens_these_things_hold():
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=8,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
