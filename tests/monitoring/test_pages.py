"""The pages about signals, as each role meets them."""

from http import HTTPStatus

import pytest
from django.urls import reverse

from incidents.models import Incident
from incidents.monitoring import actions
from incidents.monitoring.models import Signal, Source
from incidents.monitoring.states import State
from irapp.accounts.models import RoleCode
from tests.incidents.factories import make_commander, make_incident, make_responder
from tests.irapp.factories import make_user
from tests.monitoring.factories import fresh, make_auditor, make_group, make_received, make_source

pytestmark = pytest.mark.django_db
TRIAGING = {RoleCode.RESPONDER, RoleCode.COMMANDER, RoleCode.DUTY_OFFICER, RoleCode.EXECUTIVE}


@pytest.fixture
def responder(client):
    person = make_responder(name="Rosa")
    client.force_login(person)
    return person


def at(group, what="signal"):
    return reverse(f"monitoring:{what}", args=[group.pk])


@pytest.mark.parametrize("role", RoleCode)
@pytest.mark.parametrize("state", State)
def test_everybody_with_a_role_reads_a_group_in_every_state(client, role, state):
    group = make_group(state=state, title="Odd <b>replies</b>", body="**Bold**", data={"items": 3})
    client.force_login(make_user(role))

    page = client.get(at(group))

    assert page.status_code == HTTPStatus.OK
    assert "Odd &lt;b&gt;replies" in page.content.decode()
    assert ("Start an incident" in page.content.decode()) == (
        role in TRIAGING and state in {State.NEW, State.ACKNOWLEDGED}
    )


def test_without_a_role_there_is_nothing_to_see(client):
    group = make_group()
    client.force_login(make_user())

    assert client.get(at(group)).status_code == HTTPStatus.NOT_FOUND


def test_signals_of_a_restricted_incident_are_hidden_with_it(client, responder):
    commander = make_commander()
    incident = make_incident(by=commander, restricted=True)
    group = make_group(by=commander, state=State.LINKED, incident=incident, title="Secret")

    assert client.get(at(group)).status_code == HTTPStatus.NOT_FOUND
    assert client.post(at(group, "acknowledge")).status_code == HTTPStatus.NOT_FOUND
    assert "Secret" not in client.get("/monitoring/signals/?tab=all").content.decode()


def test_the_queue_leads_to_a_signal_and_the_signal_to_an_incident(client, responder):
    group = make_group(title="Scans at machine speed", severity="CRITICAL", model_name="aurora-large")
    assert "Scans at machine speed" in client.get("/?tab=mine").content.decode()
    assert "Scans at machine speed" in client.get("/inbox/").content.decode()

    form = client.get(at(group, "open_incident"))
    begun = form.context["form"].initial
    answer = client.post(at(group, "open_incident"), {**begun, "title": "Automated intrusion"})

    incident = Incident.objects.get()
    assert answer.url == incident.get_absolute_url()
    assert (incident.severity, incident.model_name) == ("CRITICAL", "aurora-large")
    assert fresh(group).incident == incident
    page = client.get(incident.get_absolute_url()).content.decode()
    assert "Scans at machine speed" in page
    assert "Signals linked" in page


@pytest.mark.parametrize("htmx", [False, True])
def test_acknowledging_shows_who_is_looking(client, responder, htmx):
    group = make_group()
    headers = {"HX-Request": "true"} if htmx else {}

    answer = client.post(at(group, "acknowledge"), headers=headers, follow=not htmx)

    assert "Rosa is looking at it" in answer.content.decode()
    assert ("<html" in answer.content.decode()) is not htmx


def test_a_second_acknowledgement_says_who_was_first(client, responder):
    group = make_group(state=State.ACKNOWLEDGED, by=make_responder(name="Quentin"))

    answer = client.post(at(group, "acknowledge"))

    assert answer.status_code == HTTPStatus.CONFLICT
    assert "Quentin acknowledged this already" in answer.content.decode()


def test_linking_offers_open_incidents_of_the_same_model_first(client, responder):
    make_incident(title="About another", model_name="aurora-small")
    same = make_incident(title="About the same", model_name="aurora-large")
    group = make_group(model_name="aurora-large")

    page = client.get(at(group)).content.decode()
    client.post(at(group, "link"), {"incident": same.reference})

    assert "About the same" in page
    assert "About another" not in page
    assert fresh(group).incident == same


@pytest.mark.parametrize("reference", ["", "INC-9999", "nonsense", "INC-\x00", "9" * 40])
def test_a_reference_that_leads_nowhere_is_named_at_its_field(client, responder, reference):
    group = make_group()

    answer = client.post(at(group, "link"), {"incident": reference})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert answer.context["link_form"].errors["incident"]


def test_a_restricted_incident_is_not_confirmed_to_exist(client, responder):
    hidden = make_incident(by=make_commander(), restricted=True)
    group = make_group()

    answer = client.post(at(group, "link"), {"incident": hidden.reference})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert answer.context["link_form"].errors["incident"] == ["There is no such incident."]


def test_closing_asks_for_a_reason(client, responder):
    group = make_group()

    answer = client.post(at(group, "close"), {"reason": " ", "count_seen": 1})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert fresh(group).state == State.NEW


def test_closing_a_page_that_has_not_seen_the_newest_signal_keeps_what_was_typed(client, responder):
    group = make_group(fingerprint="same")
    make_received(fingerprint="same", title="It got worse")

    answer = client.post(at(group, "close"), {"reason": "Harmless, I thought.", "count_seen": 1})

    text = answer.content.decode()
    assert answer.status_code == HTTPStatus.CONFLICT
    assert "One more signal has arrived" in text
    assert "It got worse" in text
    assert "Harmless, I thought." in text
    assert (
        client.post(at(group, "close"), {"reason": "Still.", "count_seen": 2}).status_code == HTTPStatus.FOUND
    )


def test_reopening_puts_it_back_into_the_queue(client, responder):
    group = make_group(state=State.CLOSED)

    client.post(at(group, "reopen"))

    assert fresh(group).state == State.NEW


@pytest.mark.parametrize("what", ["acknowledge", "link", "open_incident", "close", "reopen"])
def test_an_auditor_changes_nothing(client, what):
    group = make_group(state=State.CLOSED if what == "reopen" else State.NEW)
    incident = make_incident()
    client.force_login(make_auditor())

    data = {"incident": incident.reference, "title": "x", "reason": "x", "count_seen": 9}
    answer = client.post(at(group, what), data)

    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert fresh(group).state == group.state


def test_a_report_that_is_sent_twice_is_one_signal(client, responder):
    form = client.get("/monitoring/signals/report/").context["form"].initial
    data = {**form, "title": "It told me to lie", "severity": "", "model_name": ""}

    first = client.post("/monitoring/signals/report/", data)
    second = client.post("/monitoring/signals/report/", data)

    assert first.url == second.url
    assert Signal.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"source": "nobody"}, "source"),
        ({"severity": "AWFUL"}, "severity"),
        ({"observed_at": "2999-01-01T00:00"}, "observed_at"),
        ({"observed_at": "soon"}, "observed_at"),
    ],
)
def test_a_bad_report_is_named_at_its_field(client, responder, wrong, field):
    data = {"title": "Odd", "source": "report-form", "key": "k1"} | wrong

    answer = client.post("/monitoring/signals/report/", data)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert list(answer.context["form"].errors) == [field]


def test_an_auditor_reports_nothing(client):
    client.force_login(make_auditor())

    assert client.get("/monitoring/signals/report/").status_code == HTTPStatus.FORBIDDEN
    assert "Report a signal" not in client.get("/monitoring/signals/").content.decode()


@pytest.mark.parametrize(
    ("tab", "states"),
    [
        ("unlinked", {State.NEW, State.ACKNOWLEDGED}),
        ("closed", {State.CLOSED}),
        ("all", set(State)),
        ("nonsense", {State.NEW, State.ACKNOWLEDGED}),
    ],
)
def test_the_list_is_cut_by_state(client, responder, tab, states):
    for state in State:
        make_group(state=state)

    page = client.get(f"/monitoring/signals/?tab={tab}")

    assert {group.state for group in page.context["page"].rows} == states


@pytest.mark.parametrize("tab", ["unlinked", "linked"])
def test_an_empty_list_says_what_belongs_there(client, responder, tab):
    assert "empty-title" in client.get(f"/monitoring/signals/?tab={tab}").content.decode()


def test_sources_are_kept_by_commanders(client):
    client.force_login(make_commander())
    client.post("/monitoring/sources/add/", {"code": "new-one", "name": "New one", "kind": "PRESS"})
    source = Source.objects.get(code="new-one")
    taken = client.post("/monitoring/sources/add/", {"code": "new-one", "name": "Again", "kind": "PRESS"})

    client.post(f"/monitoring/sources/{source.pk}/", {"name": "Newer", "kind": "PRESS"})

    source.refresh_from_db()
    assert (source.name, source.enabled) == ("Newer", False)
    assert taken.context["form"].errors["code"]
    assert "Newer" in client.get("/monitoring/sources/").content.decode()


def test_sources_are_read_by_others(client, responder):
    source = make_source()

    assert client.get("/monitoring/sources/").status_code == HTTPStatus.OK
    assert client.get(f"/monitoring/sources/{source.pk}/").status_code == HTTPStatus.FORBIDDEN
    assert client.post("/monitoring/sources/add/", {}).status_code == HTTPStatus.FORBIDDEN


def test_a_group_of_many_signals_asks_as_many_questions_as_one_of_few(
    client, responder, django_assert_max_num_queries
):
    group = make_group(fingerprint="same")
    for _ in range(30):
        make_received(fingerprint="same")

    with django_assert_max_num_queries(8):
        page = client.get(at(group)).content.decode()

    assert "6 earlier signals" in page


def test_the_list_asks_the_same_questions_for_many_as_for_one(
    client, responder, django_assert_max_num_queries
):
    for state in [*State, *State]:
        make_group(state=state)

    with django_assert_max_num_queries(5):
        client.get("/monitoring/signals/?tab=all")


def test_what_others_look_at_stands_apart_in_the_queue(client, responder):
    make_group(title="Mine", state=State.ACKNOWLEDGED, by=responder)
    make_group(title="Theirs", state=State.ACKNOWLEDGED)

    mine = client.get("/?tab=mine").content.decode()
    progress = client.get("/?tab=progress").content.decode()

    assert "Mine" in mine
    assert "Theirs" not in mine
    assert "Theirs" in progress


def test_an_auditor_sees_what_arrived_but_it_does_not_wait_for_them(client):
    make_group(title="Arrived")
    client.force_login(make_auditor())

    assert "Arrived" in client.get("/?tab=all").content.decode()
    assert "Arrived" not in client.get("/?tab=mine").content.decode()
    assert "Arrived" not in client.get("/inbox/").content.decode()


def test_signals_linked_by_mistake_move_to_another_incident(client, responder):
    first, second = make_incident(title="First"), make_incident(title="Second")
    group = make_group(state=State.LINKED, incident=first, title="Moved")

    actions.link_to_incident(group_id=group.pk, incident_id=second.pk, by=responder)

    assert "Signals linked elsewhere" in client.get(first.get_absolute_url()).content.decode()
    assert at(group) in client.get(second.get_absolute_url()).content.decode()
