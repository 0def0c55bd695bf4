"""What was decided by many is not given back by one, by whatever door."""

import pytest

from corrections import actions
from corrections.models import Correction, Proposal
from corrections.states import State
from incidents import actions as incidents
from incidents.models import State as Stage
from irapp.accounts.models import RoleCode
from irapp.common.errors import ConflictError, NotPermittedError
from tests.corrections import factories
from tests.incidents.factories import make_commander
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db


def test_a_narrow_version_of_a_shutdown_asks_for_what_lifting_the_shutdown_would():
    commander = make_commander()
    shutdown = factories.make_correction(terms=factories.make_shutdown(), by=commander)
    narrow = actions.draft_version(correction_id=shutdown.pk, terms=factories.make_terms(), by=commander)

    proposal = actions.propose(correction_id=narrow.pk, by=commander)

    assert proposal.authority["quorum"] == 2
    assert RoleCode.EXECUTIVE in proposal.authority["must_include"]
    factories.approve(proposal, by=factories.make_officer())
    assert Correction.objects.get(pk=shutdown.pk).state == State.ACTIVE
    assert Proposal.objects.get(pk=proposal.pk).is_open


@pytest.mark.parametrize("touch", ["draft", "revise"])
def test_whoever_wrote_the_terms_does_not_decide_on_them(touch):
    both = make_user(RoleCode.COMMANDER, RoleCode.DUTY_OFFICER)
    draft = factories.make_draft(by=both if touch == "draft" else make_commander())
    if touch == "revise":
        actions.revise_correction(
            correction_id=draft.pk, revision=draft.revision, terms=factories.make_terms(), by=both
        )
    proposal = actions.propose(correction_id=draft.pk, by=make_commander())

    with pytest.raises(NotPermittedError, match="does not decide"):
        factories.approve(proposal, by=both)

    assert not Proposal.objects.awaiting(both, now=proposal.proposed_at).exists()


def test_two_accounts_that_turn_out_to_be_one_person_are_one_voice():
    proposal = factories.make_proposal(terms=factories.make_shutdown())
    first, second = factories.make_executive(), factories.make_officer()
    factories.approve(proposal, by=first)
    first.person = second.person
    first.save()

    assert factories.approve(proposal, by=second, reason="Mine as well.").repeated

    assert Proposal.objects.get(pk=proposal.pk).is_open


def test_an_incident_is_not_dismissed_around_what_is_in_force():
    commander = make_commander()
    correction = factories.make_correction(by=commander)
    incident = correction.package.incident
    incidents.move(incident_id=incident.pk, move="stand_down", by=commander, reason="Calmer.")

    with pytest.raises(ConflictError, match="lifted"):
        incidents.move(incident_id=incident.pk, move="dismiss", by=commander, reason="Nothing.")


def test_nothing_is_imposed_for_an_incident_that_has_left_execution():
    commander = make_commander()
    proposal = factories.make_proposal(by=commander)
    incident = proposal.correction.package.incident
    incidents.move(incident_id=incident.pk, move="stand_down", by=commander, reason="Calmer.")
    incident.refresh_from_db(fields=["revision"])

    with pytest.raises(ConflictError) as refusal:
        factories.approve(proposal)

    assert refusal.value.code == "wrong_stage"
    assert type(incident).objects.get(pk=incident.pk).state == Stage.MONITORING


def test_a_version_of_what_is_gone_is_not_imposed():
    commander = make_commander()
    correction = factories.make_correction(by=commander)
    version = actions.draft_version(correction_id=correction.pk, by=commander)
    factories.lift(correction)

    with pytest.raises(ConflictError) as refusal:
        actions.propose(correction_id=version.pk, by=commander)

    assert refusal.value.code == "not_in_force"
