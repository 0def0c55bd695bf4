"""A change to a correction in force is a new version; the old one holds until the new one has been shown."""

from datetime import timedelta

import pytest
from django.utils import timezone

from corrections import actions
from corrections.models import PolicyVersion
from corrections.publishing.evaluate import evaluate
from corrections.selectors import change
from corrections.states import State, Verdict
from corrections.terms import Terms
from enforcement import policy
from irapp.audit.models import Event
from irapp.common.errors import ConflictError
from tests.corrections import gateways
from tests.corrections.factories import (
    approve,
    decide,
    fresh,
    make_commander,
    make_correction,
    make_executive,
    make_terms,
)

pytestmark = pytest.mark.django_db
LIMIT = {"kind": "request_limit", "users": {"organisations": ["acme"]}}


def limited(requests, **changes):
    return make_terms(**LIMIT, parameters={"requests": requests, "window_seconds": 60}, **changes)


def in_policy():
    newest = PolicyVersion.objects.first()
    return [each.id for each in policy.parse(bytes(newest.content), policy.Content).corrections]


@pytest.fixture
def old():
    return make_correction(terms=limited(5))


def proposed(old, **changes):
    new = actions.draft_version(correction_id=old.pk, terms=limited(6, **changes), by=make_commander())
    return actions.propose(correction_id=new.pk, by=make_commander())


def test_a_new_version_begins_as_a_copy(old):
    new = actions.draft_version(correction_id=old.pk, by=make_commander())

    assert (new.reference, new.version, new.supersedes) == (old.reference, 2, old)
    assert Terms.of(new) == Terms.of(old)


def test_what_changes_can_be_shown(old):
    new = proposed(old).correction

    assert change(new)["parameters"][1]["requests"] == 6
    assert "users" not in change(new)


def test_until_it_is_decided_the_old_one_is_in_force(old):
    proposed(old)

    assert in_policy() == [str(old)]


def test_once_approved_the_policy_carries_the_new_one_instead(old):
    new = decide(proposed(old))

    assert in_policy() == [str(new)]
    assert fresh(old).state == State.ACTIVE


def test_the_old_one_is_superseded_when_the_new_one_is_active(old):
    new = decide(proposed(old))

    gateways.show()

    assert (fresh(old).state, fresh(new).state) == (State.SUPERSEDED, State.ACTIVE)


def test_the_old_one_does_not_drift_while_the_new_one_takes_over(old, clock):
    decide(proposed(old))
    for _ in range(4):
        clock.shift(2)
        gateways.show(wrong=[f"{old.reference}.2"])

    assert fresh(old).drifted_at is None


def test_if_the_new_one_is_rejected_the_old_one_stays(old):
    proposal = proposed(old)

    actions.vote(
        proposal_id=proposal.pk,
        verdict=Verdict.REJECT,
        reason="Not yet.",
        digest=proposal.digest,
        by=make_executive(),
    )

    assert in_policy() == [str(old)]
    assert fresh(old).state == State.ACTIVE


def test_if_the_new_one_fails_both_stand(old, clock):
    new = decide(proposed(old))
    clock.move_to(new.execute_by + timedelta(seconds=1), tick=False)

    gateways.show(wrong=[str(new)])

    assert fresh(new).state == State.FAILED
    assert in_policy() == [str(old), str(new)]
    assert fresh(old).policy_version == PolicyVersion.objects.first().version


def test_tried_again_the_new_one_replaces_the_old_one(old, clock):
    new = decide(proposed(old))
    clock.move_to(new.execute_by + timedelta(seconds=1), tick=False)
    evaluate(now=timezone.now())

    actions.retry(correction_id=new.pk, by=make_commander())
    gateways.show()

    assert in_policy() == [str(new)]
    assert (fresh(old).state, fresh(new).state) == (State.SUPERSEDED, State.ACTIVE)


def test_lifting_a_new_version_that_was_never_shown_brings_the_old_one_back(old):
    new = decide(proposed(old))

    decide(actions.propose_lift(correction_id=new.pk, reason="A mistake.", by=make_commander()))

    assert in_policy() == [str(old)]


def test_a_later_version_starts_later_and_the_old_one_holds_until_then(old, clock):
    soon = timezone.now() + timedelta(hours=1)
    new = decide(proposed(old, starts_at=soon))
    assert in_policy() == [str(old), str(new)]

    clock.move_to(soon + timedelta(seconds=1), tick=False)
    actions.tick(now=timezone.now())

    assert in_policy() == [str(new)]


def test_whoever_read_the_clock_before_a_later_version_began_does_not_bring_the_old_one_back(old, clock):
    soon = timezone.now() + timedelta(hours=1)
    new = decide(proposed(old, starts_at=soon))
    clock.move_to(soon + timedelta(seconds=1), tick=False)
    actions.tick(now=timezone.now())

    actions.tick(now=soon - timedelta(seconds=1))  # it waited for its turn meanwhile

    assert in_policy() == [str(new)]


def test_one_change_at_a_time(old):
    actions.draft_version(correction_id=old.pk, by=make_commander())

    with pytest.raises(ConflictError) as refused:
        actions.draft_version(correction_id=old.pk, by=make_commander())

    assert refused.value.code == "change_open"


def test_a_change_starts_from_the_newest_version_in_force(old):
    decide(proposed(old))

    with pytest.raises(ConflictError) as refused:
        actions.draft_version(correction_id=old.pk, by=make_commander())

    assert refused.value.code == "not_newest"


def test_a_rejected_version_number_is_not_used_again(old):
    draft = actions.draft_version(correction_id=old.pk, by=make_commander())
    actions.discard(correction_id=draft.pk, by=make_commander())

    assert actions.draft_version(correction_id=old.pk, by=make_commander()).version == 3


def test_what_was_asked_about_the_old_one_ends_with_it(old):
    asked = actions.propose_lift(correction_id=old.pk, reason="Fixed.", by=make_commander())
    decide(proposed(old))

    gateways.show()

    asked.refresh_from_db()
    assert asked.state == "WITHDRAWN"
    assert fresh(old).state == State.SUPERSEDED


def test_three_versions_leave_one_in_force(old):
    for requests in (6, 15):
        newest = type(old).objects.filter(reference=old.reference).order_by("version").last()
        terms = limited(requests)
        draft = actions.draft_version(correction_id=newest.pk, terms=terms, by=make_commander())
        approve(actions.propose(correction_id=draft.pk, by=make_commander()))
        gateways.show()

    states = type(old).objects.filter(reference=old.reference).order_by("version")
    assert [each.state for each in states] == [State.SUPERSEDED, State.SUPERSEDED, State.ACTIVE]
    assert Event.objects.filter(verb="correction.superseded").count() == 2
