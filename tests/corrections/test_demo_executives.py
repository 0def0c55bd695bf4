"""What two executives decide can be walked to its end by the people whom the demo's sign-in page names."""

from http import HTTPStatus
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from corrections import actions
from corrections.models import Correction, DestructionOrder, Package
from corrections.states import OrderState, State
from incidents.models import Incident
from incidents.models import State as Stage
from irapp.accounts import demo
from irapp.accounts.models import RoleCode, User
from tests.corrections import gateways
from tests.corrections.factories import make_terms
from tests.corrections.pages import url

pytestmark = pytest.mark.django_db
EXECUTIVES = [one.username for one in demo.PEOPLE if one.role == RoleCode.EXECUTIVE]


@pytest.fixture(autouse=True)
def _seeded(settings):
    settings.DEMO = True
    call_command("seed_demo", stdout=StringIO())


@pytest.fixture
def as_person(client):
    """Sign in as the sign-in page says, and send one form."""
    passwords = {one["username"]: one["password"] for one in demo.shown()}

    def send(name, address, **said):
        client.logout()
        client.post(reverse("login"), {"username": name, "password": passwords[name]})
        answer = client.post(address, said)
        assert answer.status_code == HTTPStatus.FOUND, answer.content.decode()

    return send


def test_they_order_a_destruction(as_person):
    incident = Incident.objects.filter(state=Stage.EXECUTION).first()
    as_person(
        "connor",
        f"{reverse('corrections:order')}?incident={incident.pk}",
        model_name="aurora-small",
        components="weights 4f1c at eu-1",
        reason="They were stolen once.",
        narrower_rejected="Where they are they can be stolen again.",
    )
    order = DestructionOrder.objects.get()

    for name in EXECUTIVES:
        as_person(name, url("sign", order), reason="It is the only way.", digest=order.digest)

    assert DestructionOrder.objects.get().state == OrderState.ORDERED


def test_they_decommission_a_model(as_person):
    connor = User.objects.get(username="connor")
    terms = make_terms(
        kind="decommission",
        users={},
        functionality={"models": ["aurora-small"]},
        narrower_rejected="Every smaller step was evaded.",
    )
    draft = actions.draft_correction(package_id=Package.objects.first().pk, terms=terms, by=connor)
    asked = actions.propose(correction_id=draft.pk, by=connor)

    for name in EXECUTIVES:
        as_person(name, url("vote", asked), verdict="APPROVE", reason="Agreed.", digest=asked.digest)
    gateways.show()

    assert Correction.objects.get(pk=draft.pk).state == State.ACTIVE
