"""The demo's incidents are made by the real actions, once."""

import pytest

from incidents import demo
from incidents.models import Incident, State
from incidents.preparation import demo as preparation
from incidents.preparation.models import DeployedModel, Plan
from irapp.accounts.models import RoleCode
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db
PEOPLE = {
    "rosa": RoleCode.RESPONDER,
    "connor": RoleCode.COMMANDER,
    "dora": RoleCode.DUTY_OFFICER,
    "edgar": RoleCode.EXECUTIVE,
    "elena": RoleCode.EXECUTIVE,
    "kim": RoleCode.COMMUNICATOR,
    "ada": RoleCode.AUDITOR,
    "adam": RoleCode.ADMINISTRATOR,
}


def test_seeding_twice_makes_the_demo_once():
    people = {name: make_user(role, username=name) for name, role in PEOPLE.items()}

    for _ in range(2):
        preparation.seed(people)
        demo.seed(people)

    assert set(DeployedModel.objects.values_list("name", flat=True)) == {"aurora-large", "aurora-small"}
    assert Plan.objects.count() == 3
    states = sorted(Incident.objects.values_list("state", flat=True))
    assert states == [State.DISMISSED, State.EXECUTION, State.PREPARATION, State.PREPARATION]
    assert Incident.objects.filter(emergency_at__isnull=False).get().skipped.exists()
