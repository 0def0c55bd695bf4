from datetime import timedelta
from http import HTTPStatus

import pytest
from django.utils import timezone

from irapp.audit.models import OutboxItem
from tests.incidents.factories import make_incident
from tests.irapp.audit.happening import happen

pytestmark = pytest.mark.django_db


def test_the_api_gives_the_same_events_by_the_same_filter(client, auditor):
    incident = make_incident()
    happen("gateway.registered")

    found = client.get("/api/v1/events/", {"incident": incident.reference}).json()["results"]

    assert [row["verb"] for row in found] == ["incident.opened"]
    assert found[0]["incident"] == incident.reference
    one = client.get(f"/api/v1/events/{found[0]['id']}/")
    assert one.json() == found[0]


@pytest.mark.parametrize("query", [{"since": "soon"}, {"person": "x"}, {"tab": "x"}, {"page_size": "0"}])
def test_the_api_refuses_a_filter_that_makes_no_sense(client, auditor, query):
    answer = client.get("/api/v1/events/", query)

    assert answer.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_api_has_no_way_to_change_an_event(client, auditor, method):
    event = happen("gateway.registered")

    for url in ("/api/v1/events/", f"/api/v1/events/{event.pk}/"):
        answer = getattr(client, method)(url, {}, content_type="application/json")
        assert answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_health_is_open_and_tells_how_long_the_oldest_effect_is_owed(client):
    assert client.get("/healthz").json() == {"database": "ok", "oldest_owed_seconds": 0.0}
    OutboxItem.objects.create(handler="x", key="x", created_at=timezone.now() - timedelta(minutes=2))

    assert client.get("/healthz").json()["oldest_owed_seconds"] >= 120
