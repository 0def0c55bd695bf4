"""The whole life of a correction, in the words of the actions."""

import pytest

from corrections.models import PolicyVersion
from corrections.states import State
from enforcement import policy
from irapp.audit.models import Event, OutboxItem
from tests.corrections import gateways
from tests.corrections.factories import approve, fresh, lift, make_correction, make_proposal

pytestmark = pytest.mark.django_db


def test_an_approved_correction_is_in_the_policy_and_its_delivery_owed():
    proposal = make_proposal()

    approve(proposal)

    correction = fresh(proposal.correction)
    newest = PolicyVersion.objects.first()
    content = policy.parse(bytes(newest.content), policy.Content)
    assert correction.state == State.ENFORCING
    assert [each.id for each in content.corrections] == [correction.policy_id]
    assert content.corrections[0].approval_digest == proposal.digest
    assert correction.policy_version == newest.version
    assert OutboxItem.objects.get(handler="policy.deliver").payload == {"version": newest.version}


def test_the_published_policy_verifies_with_the_key(private_key):
    approve(make_proposal())

    raw = bytes(PolicyVersion.objects.first().raw)

    assert policy.verify(raw, keys={"test-key": private_key.public_key()}).version == 1


def test_it_is_active_only_when_the_gateway_has_shown_it():
    correction = make_correction(state=State.ENFORCING)
    gateways.show(wrong=[correction.policy_id])
    assert fresh(correction).state == State.ENFORCING

    gateways.show()

    assert fresh(correction).state == State.ACTIVE


def test_it_is_lifted_only_when_the_gateway_has_shown_it_gone():
    correction = lift(make_correction(state=State.ACTIVE))
    assert correction.state == State.LIFTING
    gateways.show(wrong=[correction.policy_id])
    assert fresh(correction).state == State.LIFTING

    gateways.show()

    assert fresh(correction).state == State.LIFTED


def test_every_step_leaves_an_event_on_the_incident():
    correction = make_correction(state=State.LIFTED)

    verbs = Event.objects.filter(incident_id=correction.incident_id).values_list("verb", flat=True)

    expected = ["drafted", "proposed", "approved", "enforcing", "activated", "lifting", "lifted"]
    assert [f"correction.{step}" for step in expected] == [
        verb for verb in reversed(verbs) if verb.startswith("correction.")
    ]
