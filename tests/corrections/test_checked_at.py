"""When a correction was probed last at a gateway, as the page and the API tell it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from corrections.models import Gateway
from corrections.panels.enforcement import proofs
from corrections.serializers import OneCorrection
from corrections.states import State
from tests.corrections import factories, gateways

pytestmark = pytest.mark.django_db


@pytest.fixture
def correction():
    """Give a correction that a gateway has shown in force for a minute."""
    made = factories.make_correction(state=State.ENFORCING)
    gateways.show(now=timezone.now() - timedelta(minutes=1))
    return factories.fresh(made)


def told(correction):
    """Give what the page and the API say, which is the same."""
    (proof,), (shown,) = proofs(correction), OneCorrection(correction).data["gateways"]
    assert proof.checked_at == shown["checked_at"]
    return proof.checked_at


def test_it_is_news_although_nothing_else_changed(correction):
    now = timezone.now()
    gateways.show(now=now)

    assert told(correction) == now


def test_it_is_remembered_when_the_gateway_no_longer_tells_of_the_correction(correction):
    before = told(correction)
    gateways.tell(gateways.report() | {"corrections": {}})

    assert before is not None
    assert told(correction) == before


def test_a_gateway_that_never_told_of_it_never_checked_it():
    correction = factories.make_correction(state=State.ENFORCING)
    Gateway.objects.create(name="gateway-1")

    assert told(correction) is None
