import pytest

from corrections.demo import seed
from corrections.models import Correction, PolicyVersion, Proposal
from corrections.states import State
from enforcement.policy import Content, parse
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
    "elena": RoleCode.EXECUTIVE,
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


CALLERS = {"acme", "globex", "initech", "umbrella"}


def test_the_demo_restricts_none_of_its_callers_and_leaves_decisions_open(people):
    seed(people)

    states = sorted(Correction.objects.values_list("state", flat=True))
    assert states == ["DRAFT", "ENFORCING", "LIFTING", "PROPOSED", "PROPOSED", "PROPOSED", "REJECTED"]
    content = parse(bytes(PolicyVersion.objects.first().content), Content)
    assert [each.users.organisations for each in content.corrections] == [("hooli",)]
    assert "hooli" not in CALLERS
    assert Proposal.objects.open().count() == 3


def test_the_demo_shows_a_dry_run_a_segment_and_a_restoration_in_stages(people):
    seed(people)

    listened = Correction.objects.get(kind="output_filter")
    assert (listened.mode, listened.parameters["patterns"]["version"]) == ("shadow", 1)
    assert Correction.objects.get(state=State.DRAFT).users["lists"][0]["count"] == 180
    assert Correction.objects.get(version=2).percentage == 50


def test_the_gateway_finishes_what_the_demo_gave_back(people):
    seed(people)

    gateways.show(lifted={})

    assert Correction.objects.filter(state=State.LIFTED).count() == 1


def test_a_second_seed_adds_nothing(people):
    seed(people)
    seed(people)

    assert Correction.objects.count() == 7


def test_without_a_key_the_demo_still_has_something_to_decide(people, settings):
    settings.POLICY_SIGNING_KEY_FILE = ""

    seed(people)

    assert Proposal.objects.open().count() == 2
