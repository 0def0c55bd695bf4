import pytest

from corrections.demo import seed
from corrections.models import Correction, PolicyVersion, Proposal
from corrections.states import State
from incidents.demo import seed as seed_incidents
from incidents.preparation.demo import seed as seed_preparation
from irapp.accounts.models import RoleCode
from tests.corrections import gateways
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db

ROLES = {
    "rosa": RoleCode.RESPONDER,
    "connor": RoleCode.COMMANDER,
    "dora": RoleCode.DUTY_OFFICER,
    "edgar": RoleCode.EXECUTIVE,
    "kim": RoleCode.COMMUNICATOR,
    "ada": RoleCode.AUDITOR,
    "adam": RoleCode.ADMINISTRATOR,
}


@pytest.fixture
def people():
    people = {name: make_user(role, username=name) for name, role in ROLES.items()}
    seed_preparation(people)
    seed_incidents(people)
    return people


def test_the_demo_leaves_nothing_imposed_and_one_decision_open(people):
    seed(people)

    assert sorted(Correction.objects.values_list("state", flat=True)) == ["LIFTING", "PROPOSED", "REJECTED"]
    assert bytes(PolicyVersion.objects.first().content) == b'{"corrections":[]}'
    assert Proposal.objects.open().count() == 1


def test_the_gateway_finishes_what_the_demo_gave_back(people):
    seed(people)

    gateways.show(lifted={})

    assert Correction.objects.filter(state=State.LIFTED).count() == 1


def test_a_second_seed_adds_nothing(people):
    seed(people)
    seed(people)

    assert Correction.objects.count() == 3


def test_without_a_key_the_demo_still_has_something_to_decide(people, settings):
    settings.POLICY_SIGNING_KEY_FILE = ""

    seed(people)

    assert Proposal.objects.open().count() == 1
