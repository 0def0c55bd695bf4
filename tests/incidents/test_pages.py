"""Queue, list, inbox and the incident page, as people of each role meet them."""

from http import HTTPStatus

import pytest
from django.urls import reverse

from incidents import actions, queue
from incidents.models import Incident, State
from incidents.queue import Row, Tab
from irapp.accounts.models import RoleCode
from tests.incidents.factories import make_commander, make_incident, make_prepared, make_responder
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def sign_in(client):
    def as_(user):
        client.force_login(user)
        return client

    return as_


def move_url(incident, name):
    return reverse("incidents:move", args=[incident.pk, name])


@pytest.mark.parametrize("role", list(RoleCode))
def test_everybody_with_a_role_reads_queue_list_inbox_and_incident(sign_in, role):
    browser, incident = sign_in(make_user(role)), make_incident(title="Hateful posts")

    for url in (
        reverse("incidents:queue") + "?tab=all",
        reverse("incidents:list"),
        incident.get_absolute_url(),
    ):
        page = browser.get(url)
        assert page.status_code == HTTPStatus.OK
        assert "Hateful posts" in page.content.decode()
    assert browser.get(reverse("incidents:inbox")).status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    "name",
    ["detail", "edit", "restrict", "stage", "people", "tasks", "timeline", "add_note", "add_task", "assign"],
)
def test_a_restricted_incident_does_not_exist_for_strangers(sign_in, name):
    incident = make_incident(restricted=True)
    browser, url = sign_in(make_commander()), reverse(f"incidents:{name}", args=[incident.pk])

    assert browser.get(url).status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
    assert browser.post(url, {}).status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}


def test_an_auditor_reads_everything_and_is_offered_nothing(sign_in):
    incident = make_incident(commander=make_commander())
    actions.add_task(incident_id=incident.pk, title="Call", by=make_responder())
    browser = sign_in(make_user(RoleCode.AUDITOR))

    page = browser.get(incident.get_absolute_url()).content.decode()

    assert "hx-post" not in page
    assert reverse("incidents:edit", args=[incident.pk]) not in page
    for url in (
        reverse("incidents:add_note", args=[incident.pk]),
        reverse("incidents:add_task", args=[incident.pk]),
        reverse("incidents:edit", args=[incident.pk]),
    ):
        assert (
            browser.post(url, {"body": "x", "kind": "NOTE", "title": "x"}).status_code == HTTPStatus.FORBIDDEN
        )


def test_the_page_says_where_it_stands_and_what_is_missing(sign_in):
    commander = make_commander()
    incident = make_incident(commander=commander)

    page = sign_in(commander).get(incident.get_absolute_url()).content.decode()

    assert "Missing before “begin monitoring”" in page
    assert "Severity judged" in page
    assert "Threat bound" in page
    assert move_url(incident, "begin_monitoring") in page


def test_who_may_not_move_reads_why(sign_in):
    incident = make_incident()

    page = sign_in(make_responder()).get(incident.get_absolute_url()).content.decode()

    assert "To begin monitoring you need to be incident commander." in page
    assert move_url(incident, "begin_monitoring") not in page


def test_a_move_is_confirmed_and_made(sign_in):
    commander = make_commander()
    incident = make_incident(commander=commander)
    make_prepared(incident.pk, by=commander)
    browser = sign_in(commander)

    assert "What this move asks for" in browser.get(move_url(incident, "begin_monitoring")).content.decode()
    answer = browser.post(move_url(incident, "begin_monitoring"), {"reason": ""})

    assert answer.status_code == HTTPStatus.FOUND
    assert Incident.objects.get(pk=incident.pk).state == State.MONITORING
    again = browser.post(move_url(incident, "begin_monitoring"), {"reason": ""})
    assert again.status_code == HTTPStatus.CONFLICT
    assert "is not possible from there" in again.content.decode()


def test_an_override_without_a_reason_comes_back_with_the_error_at_its_field(sign_in):
    commander = make_commander()
    incident = make_incident(commander=commander)
    browser = sign_in(commander)

    answer = browser.post(move_url(incident, "begin_monitoring"), {"override": "on", "reason": " "})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "This cannot be empty." in answer.content.decode()
    assert Incident.objects.get(pk=incident.pk).state == State.PREPARATION


def test_an_emergency_is_declared_with_a_reason_and_everybody_sees_it(sign_in):
    officer, incident = make_user(RoleCode.DUTY_OFFICER), make_incident()
    browser = sign_in(officer)

    browser.post(move_url(incident, "declare_emergency"), {"reason": "Ransom notes are going out"})

    page = browser.get(incident.get_absolute_url()).content.decode()
    assert "Emergency declared" in page
    assert "Ransom notes are going out" in page
    assert "Skipped on the way" in page


def test_an_incident_is_opened_by_hand(sign_in):
    browser = sign_in(make_responder())

    wrong = browser.post(reverse("incidents:create"), {"title": " ", "summary": "Kept words"})
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Kept words" in wrong.content.decode()

    right = browser.post(reverse("incidents:create"), {"title": "Odd posts", "summary": "Seen twice"})
    assert right["Location"] == Incident.objects.get().get_absolute_url()


@pytest.mark.parametrize("role", [RoleCode.AUDITOR, RoleCode.COMMUNICATOR, RoleCode.ADMINISTRATOR])
def test_who_may_not_open_an_incident_is_told_why(sign_in, role):
    browser = sign_in(make_user(role))

    assert browser.get(reverse("incidents:create")).status_code == HTTPStatus.FORBIDDEN
    assert "Open an incident" not in browser.get(reverse("incidents:queue") + "?tab=waiting").content.decode()


def test_a_stale_edit_shows_both_texts_and_who_was_first_and_can_be_applied_again(sign_in):
    incident, rosa = make_incident(title="Old", summary="Old words"), make_responder(name="Rosa Lindqvist")
    browser, url = sign_in(make_responder()), reverse("incidents:edit", args=[incident.pk])
    actions.edit(incident_id=incident.pk, summary="Their words", by=rosa)
    mine = {"title": "Old", "summary": "My words", "severity": "", "model_name": "", "revision": 1}

    stale = browser.post(url, mine)

    page = stale.content.decode()
    assert stale.status_code == HTTPStatus.CONFLICT
    for text in ("Their words", "My words", "Rosa Lindqvist", 'name="revision" value="2"'):
        assert text in page
    assert Incident.objects.get(pk=incident.pk).summary == "Their words"

    browser.post(url, mine | {"revision": 2})
    assert Incident.objects.get(pk=incident.pk).summary == "My words"


def test_a_stale_note_shows_both_texts(sign_in):
    author, incident = make_responder(), make_incident()
    note = actions.add_note(incident_id=incident.pk, body="First", by=author)
    actions.edit_note(note_id=note.pk, body="Second", revision=1, by=author)
    browser = sign_in(author)

    stale = browser.post(reverse("incidents:edit_note", args=[note.pk]), {"body": "Third", "revision": 1})

    assert stale.status_code == HTTPStatus.CONFLICT
    assert "Second" in stale.content.decode()
    assert "Third" in stale.content.decode()


def test_a_note_is_written_in_place_and_without_javascript(sign_in):
    incident = make_incident()
    browser, url = sign_in(make_responder()), reverse("incidents:add_note", args=[incident.pk])

    plain = browser.post(url, {"body": "By hand", "kind": "NOTE"})
    assert plain["Location"] == f"{incident.get_absolute_url()}#timeline"
    placed = browser.post(url, {"body": "In place", "kind": "NOTE"}, headers=HTMX)
    assert placed.status_code == HTTPStatus.OK
    assert f"live:incident:{incident.pk}" in placed["HX-Trigger"]
    assert placed.content.decode().strip().startswith("<div")
    wrong = browser.post(url, {"body": "", "kind": "NOTE"}, headers=HTMX)
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY

    page = browser.get(incident.get_absolute_url()).content.decode()
    assert "By hand" in page
    assert "In place" in page


def test_a_note_is_shown_as_markdown_without_its_html(sign_in):
    incident = make_incident()
    actions.add_note(incident_id=incident.pk, body="**bold** <script>alert(1)</script>", by=make_responder())

    page = sign_in(make_responder()).get(incident.get_absolute_url()).content.decode()

    assert "<strong>bold</strong>" in page
    assert "<script>alert" not in page


def test_tasks_are_added_taken_finished_and_taken_up_again(sign_in):
    me, incident = make_responder(), make_incident()
    browser = sign_in(me)
    browser.post(reverse("incidents:add_task", args=[incident.pk]), {"title": "Call the customer"})
    task = incident.tasks.get()

    for name in ("take_task", "finish_task", "unfinish_task"):
        answer = browser.post(reverse(f"incidents:{name}", args=[task.pk]), {"outcome": "DONE"}, headers=HTMX)
        assert answer.status_code == HTTPStatus.OK
        assert "Call the customer" in answer.content.decode()

    task = incident.tasks.get()
    assert (task.owner, task.outcome) == (me, "")


def test_the_timeline_is_narrowed(sign_in):
    incident = make_incident(commander=make_commander())
    actions.add_note(incident_id=incident.pk, body="Only this", by=make_responder())
    browser, url = sign_in(make_responder()), reverse("incidents:timeline", args=[incident.pk])

    assert "Incident opened" in browser.get(url).content.decode()
    notes = browser.get(url + "?kind=notes").content.decode()
    assert "Only this" in notes
    assert "Incident opened" not in notes
    assert "Nothing of this kind yet" in browser.get(url + "?kind=tasks").content.decode()


@pytest.mark.parametrize(
    "query", ["?tab=nonsense", "?after=x", "?after=9-99999999999999999999", "?tab=all&after=0-1"]
)
def test_an_odd_address_of_the_queue_is_still_a_queue(sign_in, query):
    assert sign_in(make_responder()).get(reverse("incidents:queue") + query).status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    "query", ["?q=%00", "?state=NOPE", "?before=x", "?before=99999999999999999999", "?q=%22("]
)
def test_an_odd_address_of_the_list_is_still_a_list(sign_in, query):
    assert sign_in(make_responder()).get(reverse("incidents:list") + query).status_code == HTTPStatus.OK


def test_a_reference_typed_into_the_search_leads_to_its_incident(sign_in):
    incident = make_incident()

    answer = sign_in(make_responder()).get(reverse("incidents:list"), {"q": incident.reference.lower()})

    assert answer["Location"] == incident.get_absolute_url()


def test_the_queue_puts_the_worst_first_and_pages_by_key(sign_in, monkeypatch):
    monkeypatch.setattr("incidents.selectors.queue.PAGE", 2)
    titles = {"LOW": "Least", "CRITICAL": "Worst", "HIGH": "Bad"}
    for severity, title in titles.items():
        make_incident(title=title, severity=severity)
    browser = sign_in(make_responder())

    first = browser.get(reverse("incidents:queue") + "?tab=all")
    assert [row.title for row in first.context["queue"].rows] == ["Worst", "Bad"]
    second = browser.get(reverse("incidents:queue") + first.context["older_url"])
    assert [row.title for row in second.context["queue"].rows] == ["Least"]


def test_what_needs_me_is_what_i_command_what_i_do_and_what_nobody_commands(sign_in):
    commander, responder = make_commander(), make_responder()
    led = make_incident(commander=commander, title="Led")
    orphan = make_incident(title="Orphan")
    other = make_incident(commander=make_commander(), title="Other")
    actions.add_task(incident_id=other.pk, title="Call", owner_id=responder.pk, by=responder)

    def mine(person):
        return {row.title for row in sign_in(person).get(reverse("incidents:queue")).context["queue"].rows}

    assert mine(commander) == {led.title, orphan.title}
    assert mine(responder) == {"Other"}


def test_other_floors_add_rows_and_say_what_awaits_a_decision(sign_in, monkeypatch):
    incident = make_incident(title="Waits for a vote", commander=make_commander())
    monkeypatch.setattr(queue, "_sources", {})
    monkeypatch.setattr(queue, "_awaiting", [])
    row = Row(reference="SIG-7", title="A signal", url="/somewhere/", since=incident.opened_at)
    queue.register("signals", "Incoming signals", (Tab.WAITING, Tab.ALL), lambda _user: [row])
    queue.register_awaiting_decision(lambda: Incident.objects.filter(pk=incident.pk).values("pk"))
    browser, url = sign_in(make_responder()), reverse("incidents:queue")

    assert "SIG-7" in browser.get(url + "?tab=waiting").content.decode()
    assert "SIG-7" not in browser.get(url + "?tab=progress").content.decode()
    decisions = browser.get(url + "?tab=decision").context["queue"]
    assert [one.title for one in decisions.rows] == ["Waits for a vote"]
    assert {tab.label: tab.count for tab in decisions.tabs}["Waiting to start"] == "2"


def test_the_inbox_shows_my_tasks_and_its_count_stands_in_the_navigation(sign_in):
    me, incident = make_responder(), make_incident()
    actions.add_task(incident_id=incident.pk, title="Call the customer", owner_id=me.pk, by=me)
    browser = sign_in(me)

    assert "Call the customer" in browser.get(reverse("incidents:inbox")).content.decode()
    assert ">1<" in browser.get(reverse("incidents:inbox_count")).content.decode()


@pytest.mark.parametrize("tab", list(Tab))
def test_the_queue_asks_at_most_eight_questions_for_ten_incidents_as_for_one(
    sign_in, django_assert_max_num_queries, tab
):
    commander = make_commander()
    for _ in range(10):
        make_incident(commander=commander)
    browser = sign_in(commander)

    with django_assert_max_num_queries(8):
        browser.get(reverse("incidents:queue") + f"?tab={tab}")


def test_the_list_asks_the_same_questions_for_ten_as_for_one(sign_in, django_assert_max_num_queries):
    for _ in range(10):
        make_incident(commander=make_commander())
    browser = sign_in(make_responder())

    with django_assert_max_num_queries(7):  # session, person, roles, incidents, models, roles' names
        browser.get(reverse("incidents:list"))


def test_the_incident_page_asks_no_more_for_a_long_record_than_for_a_short_one(
    sign_in, django_assert_max_num_queries, monkeypatch
):
    monkeypatch.setattr("incidents.panels._panels", {})  # other floors promise for themselves
    commander = make_commander()
    incident = make_incident(commander=commander, state=State.EXECUTION)
    for number in range(10):
        actions.add_note(incident_id=incident.pk, body=f"Note {number}", by=commander)
        actions.add_task(incident_id=incident.pk, title=f"Task {number}", by=commander)
    browser = sign_in(commander)

    with django_assert_max_num_queries(14):
        browser.get(incident.get_absolute_url())
