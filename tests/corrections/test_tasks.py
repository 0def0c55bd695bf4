"""What beat asks for, and what the outbox carries out."""

from uuid import uuid4

import psycopg2
import pytest
from django.core.checks import run_checks
from django.db import connection
from django.utils import timezone

from corrections import tasks
from corrections.models import PolicyVersion, TrafficRecord
from corrections.states import State
from irapp.audit import leases, outbox
from irapp.audit.live import topics
from irapp.audit.models import OutboxItem
from tests.corrections import hub
from tests.corrections.factories import approve, fresh, make_commander, make_correction, make_proposal
from tests.corrections.test_publishing import traffic_record
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(tmp_path, settings):
    with hub.running(tmp_path / "hub", settings) as process:
        yield process


def test_what_a_decision_owes_is_carried_out_by_the_outbox(service):
    proposal = make_proposal()
    approve(proposal)
    hub.post_report(service)

    for item, lease, _ in leases.claim(now=timezone.now()):
        outbox.carry_out(item, lease)

    assert OutboxItem.objects.get(handler="policy.deliver").done_at is not None
    assert fresh(proposal.correction).state == State.ACTIVE


def test_beat_alone_gets_a_decision_to_the_gateways_and_back(service):
    correction = make_correction(state=State.ENFORCING)
    tasks.reconcile()
    hub.post_report(service)

    tasks.reconcile()

    assert fresh(correction).state == State.ACTIVE


def test_the_first_tick_opens_the_gateways(service):
    tasks.tick()
    tasks.reconcile()

    assert service.get("/v1/status").json["policy"]["version"] == PolicyVersion.objects.get().version == 1


def test_beat_fetches_traffic(service):
    service.post("/v1/traffic", {"gateway": "gateway-1", "records": [traffic_record()]})

    tasks.pull_traffic()

    assert TrafficRecord.objects.count() == 1


def test_with_every_hub_away_the_clock_goes_on(settings):
    settings.ENFORCEMENT_URLS = ["http://127.0.0.1:9"]

    tasks.reconcile()
    tasks.tick()
    tasks.pull_traffic()

    assert PolicyVersion.objects.exists()


def test_one_worker_at_a_time_reconciles(monkeypatch):
    calls = []
    monkeypatch.setattr(tasks.watching, "look", lambda: calls.append(1))
    with psycopg2.connect(**connection.get_connection_params()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [tasks._RECONCILE])
        tasks.reconcile()
        cursor.execute("SELECT pg_advisory_unlock(%s)", [tasks._RECONCILE])
    other.close()
    assert not calls

    tasks.reconcile()

    assert calls


def test_what_is_not_set_up_is_said_before_the_start(settings):
    settings.ENFORCEMENT_URLS, settings.ENFORCEMENT_TOKEN, settings.POLICY_KEY_ID = [], "", ""

    found = run_checks(tags=["corrections"], include_deployment_checks=True)

    assert {message.id for message in found} == {"corrections.E001", "corrections.E002", "corrections.E003"}


def test_only_who_may_see_it_hears_of_it():
    correction = make_correction(state=State.DRAFT)
    topic = f"correction:{correction.pk}"

    assert topics.heard_by(make_commander(), [topic]) == {topic}
    assert topics.heard_by(make_user(), [topic]) == frozenset()


def test_an_unknown_lease_does_nothing(service):
    approve(make_proposal())

    outbox.carry_out(OutboxItem.objects.get(handler="policy.deliver").pk, uuid4())

    assert service.get("/v1/status").json["policy"] is None
