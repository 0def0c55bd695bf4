import csv
import json
from http import HTTPStatus
from io import StringIO

import pytest
from django.urls import reverse

from irapp.audit.models import Event
from tests.incidents.factories import make_commander, make_incident, make_responder
from tests.irapp.audit.happening import happen

pytestmark = pytest.mark.django_db
LOG = "/audit/"
READ = {
    "csv": lambda text: list(csv.DictReader(StringIO(text))),
    "ndjson": lambda text: [json.loads(line) for line in text.splitlines()],
}


def body(response):
    return b"".join(response.streaming_content).decode()


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_an_export_holds_what_the_filter_shows_and_is_itself_on_the_record(client, auditor, kind):
    rosa = make_responder(name="Rosa Keil")
    incident = make_incident(by=rosa, title="Odd posts")
    happen("gateway.registered")

    answer = client.get(reverse("audit:export", args=[kind]), {"incident": incident.reference})
    text = body(answer)

    rows = (
        list(csv.DictReader(StringIO(text)))
        if kind == "csv"
        else [json.loads(line) for line in text.splitlines()]
    )
    assert [(row["verb"], row["incident"], row["actor_name"]) for row in rows] == [
        ("incident.opened", incident.reference, "Rosa Keil")
    ]
    assert rows[0]["at"].endswith("Z")
    assert "attachment" in answer["Content-Disposition"]
    taken = Event.objects.get(verb="audit.exported")
    assert taken.actor_id == auditor.pk
    assert (taken.data["rows"], taken.data["format"], taken.data["filter"]) == (
        1,
        kind,
        {"incident": incident.reference},
    )


def test_nothing_in_an_export_is_a_formula(client, auditor):
    happen("gateway.registered", name="=HYPERLINK(1)")
    happen("gateway.registered", name="@SUM(1)")

    rows = list(
        csv.DictReader(
            StringIO(body(client.get(reverse("audit:export", args=["csv"]), {"verb": "gateway."})))
        )
    )

    assert [row["target_name"] for row in rows] == ["'=HYPERLINK(1)", "'@SUM(1)"]


def test_an_export_is_for_auditors_and_administrators_alone(client):
    client.force_login(make_commander())

    assert client.get(reverse("audit:export", args=["csv"])).status_code == HTTPStatus.FORBIDDEN
    assert b"NDJSON" not in client.get(LOG).content
    assert not Event.objects.filter(verb="audit.exported").exists()


@pytest.mark.parametrize(("kind", "query"), [("xlsx", {}), ("csv", {"since": "soon"})])
def test_an_export_that_does_not_exist_is_not_on_the_record(client, auditor, kind, query):
    assert client.get(reverse("audit:export", args=[kind]), query).status_code == HTTPStatus.NOT_FOUND
    assert not Event.objects.filter(verb="audit.exported").exists()
