from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from django.db import connection
from django.urls import reverse

from incidents import actions
from irapp.accounts.models import RoleCode
from irapp.audit import selectors
from irapp.audit.models import Event
from tests.incidents.factories import make_commander, make_incident, make_responder
from tests.irapp.audit.happening import happen
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db
LOG = "/audit/"


def shown(client, **query):
    """The events on the page."""
    response = client.get(LOG, query)
    assert response.status_code == HTTPStatus.OK
    return [line.event for line in response.context["log"].lines]


def test_an_event_reads_as_who_did_what_to_what_and_when(client, auditor):
    rosa = make_responder(name="Rosa Keil")
    incident = make_incident(by=rosa, title="Odd posts")

    page = client.get(LOG, {"verb": "incident.opened"}).content.decode()

    assert "Incident opened" in page
    assert "Rosa Keil" in page
    assert (
        f'href="/incidents/{incident.pk}/"' in page
        or f'href="{reverse("incidents:detail", args=[incident.pk])}"' in page
    )
    assert "UTC" in page
    assert "Nothing here can be changed or removed" in page


def test_auditors_and_administrators_see_everything(client):
    event = happen("policy.published")
    for role in (RoleCode.AUDITOR, RoleCode.ADMINISTRATOR):
        client.force_login(make_user(role))
        assert event in shown(client)


def test_others_see_the_events_of_incidents_that_they_may_see_and_no_others(client):
    house = happen("policy.published")
    rosa = make_responder()
    open_one = make_incident(by=rosa)
    secret = actions.open_incident(title="Secret", by=rosa, restricted=True)
    client.force_login(make_commander())

    seen = {event.incident_id for event in shown(client)}
    assert seen == {open_one.pk}
    for event in (house, Event.objects.filter(incident_id=secret.pk).first()):
        assert client.get(reverse("audit:event", args=[event.pk])).status_code == HTTPStatus.NOT_FOUND

    client.force_login(rosa)
    assert secret.pk in {event.incident_id for event in shown(client)}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"person": "system"}, {"by-system"}),
        ({"verb": "gateway."}, {"by-system", "old"}),
        ({"verb": "hub.failing"}, {"spoken"}),
        ({"tab": "gateways"}, {"by-system", "old", "spoken"}),
        ({"tab": "people"}, set()),
        ({"target": "OLD"}, {"old"}),
        ({"target": "corrections.gateway:7"}, {"by-system", "old", "spoken"}),
        ({"target": "corrections.gateway:8"}, set()),
        ({"q": "unreachable cables"}, {"spoken"}),
        ({"q": "spoken"}, {"spoken"}),
        ({"q": '"no such words"'}, set()),
        ({"incident": "INC-0999"}, set()),
        ({"since": "2024-01-01T00:00", "until": "2025-01-01T00:00"}, {"old"}),
        ({"until": "2024-01-01T00:00"}, set()),
        ({"verb": "gateway.", "target": "by"}, {"by-system"}),
    ],
)
def test_each_filter_narrows_and_all_must_hold(client, query, expected):
    auditor, other = make_user(RoleCode.AUDITOR), make_user(RoleCode.COMMANDER)
    happen("gateway.registered", name="by-system")
    happen("hub.failing", name="spoken", by=other, reason="The cable was unreachable")
    old = happen("gateway.retired", name="old", by=other, at=datetime(2024, 6, 1, 12, tzinfo=UTC))
    client.force_login(auditor)

    found = shown(client, **query)

    names = {event.target_name for event in found} - {str(auditor)}
    assert names - ({"old"} if old in found else set()) == expected - {"old"}
    assert ("old" in expected) == (old in found)


def test_a_person_is_found_by_account_also_after_they_have_left(client, auditor):
    gone = make_user(RoleCode.COMMANDER, name="Gone Away")
    happen("gateway.retired", by=gone)
    type(gone).objects.filter(pk=gone.pk).update(is_active=False)

    page = client.get(LOG, {"person": gone.pk})

    assert [line.event.actor_id for line in page.context["log"].lines] == [gone.pk]
    assert "Gone Away" in page.content.decode()


def test_the_events_of_an_incident_are_found_by_its_reference(client, auditor):
    incident, _ = make_incident(), make_incident()

    found = shown(client, incident=incident.reference.lower())

    assert {event.incident_id for event in found} == {incident.pk}
    assert len(found) == 1


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"incident": "the big one"}, "A reference reads like INC-0001"),
        ({"since": "yesterday"}, "Enter a valid date/time"),
        ({"since": "2026-01-02T00:00", "until": "2026-01-01T00:00"}, "This is not after the beginning"),
        ({"person": "1 OR 1=1"}, "Choose somebody from the list"),
        ({"tab": "nonsense"}, "Select a valid choice"),
        ({"q": "a\x00b"}, "Null characters are not allowed"),
    ],
)
def test_a_filter_that_makes_no_sense_says_so_and_shows_nothing(client, auditor, query, words):
    happen("gateway.registered")

    page = client.get(LOG, query)

    assert page.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert words in page.content.decode()
    assert page.context["log"].lines == []


def test_pages_follow_each_other_without_gap_or_repeat(client, auditor):
    for number in range(120):
        happen("gateway.registered", name=f"gateway-{number}")

    seen, url = [], f"{LOG}?verb=gateway."
    while url:
        page = client.get(url).context["log"]
        seen += [line.event.pk for line in page.lines]
        url = page.page.older_url and LOG + page.page.older_url
    back = client.get(LOG + page.page.newer_url).context["log"]

    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == len(seen) == 120
    assert [line.event.pk for line in back.lines] == seen[50:100]


def test_the_log_asks_the_same_questions_for_fifty_events_as_for_one(
    client, auditor, django_assert_num_queries
):
    incident = make_incident()
    for number in range(60):
        actions.add_note(incident_id=incident.pk, body=f"Note {number}", by=incident.opened_by)

    with django_assert_num_queries(6):  # session, account, roles, people, events, verbs
        client.get(LOG)


def test_the_search_uses_its_index(client, auditor):
    happen("gateway.registered")
    found = selectors.filtered(Event.objects.all(), {"q": "cable"})
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")  # by the key, which an empty table prefers

    assert "event_search" in found.explain()


def test_an_event_shows_all_that_it_holds_and_executes_none_of_it(client, auditor):
    event = happen(
        "gateway.registered",
        reason="**Because** <script>alert(1)</script>",
        nested={"probes": [{"endpoint": "/v1/chat", "ok": True}], "none": None},
        changes={"title": ["Old", "<b>New</b>"]},
    )

    page = client.get(reverse("audit:event", args=[event.pk])).content.decode()

    main = page.partition("<main")[2]
    assert "<script>alert" not in main
    assert "<b>New" not in main
    for words in ("<strong>Because</strong>", "&lt;b&gt;New", "Nested › Probes 1 › Endpoint", "/v1/chat"):
        assert words in main
    assert "cannot be changed or removed" in main


def test_an_event_leads_to_everything_about_the_same_target_person_and_verb(client, auditor):
    event = happen("gateway.registered", by=auditor)

    detail = client.get(reverse("audit:event", args=[event.pk])).context["detail"]

    for _, url in detail.same:
        assert event in shown(
            client, **dict(part.split("=") for part in url.partition("?")[2].replace("%3A", ":").split("&"))
        )
