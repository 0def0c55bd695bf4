from http import HTTPStatus

import pytest

from corrections.panels import paging
from corrections.states import State
from incidents.states import State as Stage
from tests.corrections import factories
from tests.corrections.pages import text, url
from tests.incidents.factories import make_commander, make_incident, make_model

pytestmark = pytest.mark.django_db
LIST = "/corrections/"


@pytest.fixture(autouse=True)
def _commander(client):
    client.force_login(make_commander())


def listed(response):
    return [row.correction for row in response.context["listing"].rows]


def in_one_package(count):
    package = factories.make_package()
    return [factories.make_draft(package=package) for _ in range(count)]


@pytest.mark.parametrize(
    ("state", "tabs"),
    [
        (State.DRAFT, ["drafts"]),
        (State.PROPOSED, ["waiting"]),
        (State.ENFORCING, ["applying"]),
        (State.ACTIVE, ["in-force"]),
        (State.LIFTING, ["applying"]),
        (State.LIFTED, ["ended"]),
    ],
)
def test_each_state_has_its_tab(client, state, tabs):
    correction = factories.make_correction(state=state)

    every = ["in-force", "waiting", "applying", "drafts", "ended"]
    assert [tab for tab in every if correction in listed(client.get(LIST, {"tab": tab}))] == tabs


def test_what_is_in_force_and_asked_to_be_lifted_stands_in_both_tabs(client):
    correction = factories.make_correction()
    client.post(url("lift", correction), {"reason": "Fixed."})

    for tab in ("in-force", "waiting"):
        assert listed(client.get(LIST, {"tab": tab})) == [correction]


def test_the_tabs_count_what_is_behind_them(client):
    in_one_package(2)
    factories.make_correction()

    tabs = client.get(LIST).context["listing"].tabs

    counts = {tab["label"]: tab["count"] for tab in tabs}
    assert counts == {
        "In force": 1,
        "Waiting for decision": 0,
        "Being applied": 0,
        "Drafts": 2,
        "Ended": None,
    }


def test_filters_narrow_the_list(client):
    model = make_model(name="aurora-large").name
    here = make_incident(state=Stage.EXECUTION)
    first = factories.make_draft(functionality={"models": [model]})
    second = factories.make_draft(kind="output_cap", parameters={"max_tokens": 9})

    def found(**filters):
        return listed(client.get(LIST, {"tab": "drafts", **filters}))

    assert found() == [second, first]
    assert found(correction_class="T1") == [first]
    assert found(correction_class="T3") == [second]
    assert found(model="aurora-large") == [first]
    assert found(model="aurora") == []
    assert found(incident=first.package.incident.reference.lower()) == [first]
    assert found(incident=here.reference) == []


def test_a_filter_that_is_not_understood_is_named(client):
    response = client.get(LIST, {"correction_class": "T9"})

    assert response.status_code == HTTPStatus.OK
    assert list(response.context["form"].errors) == ["correction_class"]
    assert "Select a valid choice" in text(response)


def test_pages_lead_to_older_and_back_without_skipping(client, monkeypatch):
    monkeypatch.setattr(paging, "SIZE", 2)
    drafts = in_one_package(5)[::-1]

    first = client.get(LIST, {"tab": "drafts"})
    second = client.get(LIST + first.context["listing"].page.older_url)
    third = client.get(LIST + second.context["listing"].page.older_url)
    back = client.get(LIST + third.context["listing"].page.newer_url)

    assert [listed(page) for page in (first, second, third, back)] == [
        drafts[:2],
        drafts[2:4],
        drafts[4:],
        drafts[2:4],
    ]
    assert (first.context["listing"].page.newer_url, third.context["listing"].page.older_url) == ("", "")


@pytest.mark.parametrize(
    "query", ["before=x", "after=-1", "before=" + "9" * 40, "tab=nonsense", "before=%00"]
)
def test_a_page_that_makes_no_sense_is_the_first_one(client, query):
    correction = factories.make_correction()

    assert listed(client.get(f"{LIST}?{query}")) == [correction]


def test_the_list_asks_the_same_questions_for_ten_as_for_one(client, django_assert_num_queries):
    in_one_package(1)

    def ask():
        # session, person, roles, counts, rows, gateways, and what the page around it asks
        with django_assert_num_queries(6):
            client.get(LIST, {"tab": "drafts", "part": "list"})

    ask()
    in_one_package(9)
    ask()


def test_an_empty_tab_says_what_belongs_there(client):
    assert "No correction is in force" in text(client.get(LIST))
