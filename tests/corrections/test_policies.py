"""Who may do what: one table, every role against every action."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from corrections import actions
from corrections.models import Gateway
from corrections.selectors import eligible
from corrections.states import State
from corrections.terms import Terms
from incidents import actions as incidents
from irapp.accounts.models import RoleCode
from irapp.common.errors import NotPermittedError
from tests.corrections.factories import (
    approve,
    make_commander,
    make_correction,
    make_draft,
    make_incident,
    make_package,
    make_proposal,
    make_shutdown,
    make_terms,
)
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db

R, C, D, E = RoleCode.RESPONDER, RoleCode.COMMANDER, RoleCode.DUTY_OFFICER, RoleCode.EXECUTIVE


def failed():
    correction = make_correction(state=State.ENFORCING)
    type(correction).objects.filter(pk=correction.pk).update(state=State.FAILED)
    return correction


def open_package(incident, by):
    actions.open_package(incident_id=incident.pk, title="Anything", by=by)


def draft(package, by):
    actions.draft_correction(package_id=package.pk, terms=make_terms(), by=by)


def revise(correction, by):
    actions.revise_correction(correction_id=correction.pk, revision=1, terms=Terms.of(correction), by=by)


def draft_version(correction, by):
    actions.draft_version(correction_id=correction.pk, by=by)


def discard(correction, by):
    actions.discard(correction_id=correction.pk, by=by)


def propose(correction, by):
    actions.propose(correction_id=correction.pk, by=by)


def withdraw_another_persons(proposal, by):
    actions.withdraw(proposal_id=proposal.pk, by=by)


def vote(proposal, by):
    approve(proposal, by=by)


def propose_lift(correction, by):
    actions.propose_lift(correction_id=correction.pk, reason="Fixed.", by=by)


def propose_permanent(correction, by):
    actions.propose_permanent(correction_id=correction.pk, reason="It stays.", by=by)


def retry(correction, by):
    actions.retry(correction_id=correction.pk, by=by)


def retire_gateway(gateway, by):
    actions.retire_gateway(gateway_id=gateway.pk, reason="Taken down.", by=by)


def silent_gateway():
    return Gateway.objects.create(name="gateway-9")


def take_up_gateway(gateway, by):
    actions.take_up_gateway(gateway_id=gateway.pk, reason="Repaired.", by=by)


def returned_gateway():
    now = timezone.now()
    before = now - timedelta(hours=1)
    return Gateway.objects.create(name="gateway-8", seen_at=now, retired_at=before, retired_by=make_user(D))


MAY = [
    (open_package, make_incident, {R, C}),
    (draft, make_package, {R, C}),
    (revise, make_draft, {R, C}),
    (draft_version, make_correction, {R, C}),
    (discard, make_draft, {R, C}),
    (propose, make_draft, {R, C}),
    (withdraw_another_persons, make_proposal, {C}),
    (vote, make_proposal, {D, E}),
    (propose_lift, make_correction, {R, C}),
    (propose_permanent, make_correction, {R, C}),
    (retry, failed, {R, C, D, E}),
    (retire_gateway, silent_gateway, {D, E}),
    (take_up_gateway, returned_gateway, {D, E}),
]


@pytest.mark.parametrize(("action", "make", "roles"), MAY, ids=[row[0].__name__ for row in MAY])
def test_who_may_do_what(action, make, roles):
    target = make()
    nobody, inactive = make_user(), make_user(*RoleCode)
    inactive.is_active = False
    inactive.save()

    for person in [nobody, inactive, *(make_user(role) for role in RoleCode if role not in roles)]:
        with pytest.raises(NotPermittedError), transaction.atomic():
            action(target, person)
    for role in roles:
        with transaction.atomic():
            action(target, make_user(role))
            transaction.set_rollback(True)


def test_the_proposer_may_withdraw_their_own():
    responder = make_user(R)
    proposal = make_proposal(by=responder)

    assert actions.withdraw(proposal_id=proposal.pk, by=responder).state == "WITHDRAWN"


def test_a_shutdown_needs_an_executive_among_the_two():
    proposal = make_proposal(terms=make_shutdown())
    approve(proposal, by=make_user(D))
    approve(proposal, by=make_user(D))
    assert not proposal.votes.count() < 2
    proposal.refresh_from_db()
    assert proposal.is_open

    approve(proposal, by=make_user(E))

    proposal.refresh_from_db()
    assert proposal.state == "APPROVED"


def test_nobody_is_asked_who_is_not_on_a_restricted_incident():
    officer = make_user(D)
    proposal = make_proposal()
    assert officer in eligible(proposal)

    incident = proposal.correction.package.incident
    incidents.restrict(
        incident_id=incident.pk, restricted=True, reason="Staff are involved.", by=incident.commander
    )

    proposal = type(proposal).objects.get(pk=proposal.pk)
    assert officer not in eligible(proposal)
    assert make_commander() not in eligible(proposal)
