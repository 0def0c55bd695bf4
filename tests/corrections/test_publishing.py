"""The way to the gateways and back, over a real enforcement service."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from corrections import actions
from corrections.models import Gateway, Hub, PolicyVersion, TrafficRecord
from corrections.publishing import delivery, traffic, watching
from corrections.publishing.delivery import DeliveryError
from corrections.states import State
from irapp.audit.models import Event
from tests.corrections import hub
from tests.corrections.factories import approve, decide, fresh, lift, make_correction, make_proposal
from tests.enforcement.hub_process import signed

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(tmp_path, settings):
    with hub.running(tmp_path / "hub", settings) as process:
        yield process


def held_by(process):
    return process.get("/v1/status").json["policy"]


def newest():
    version = PolicyVersion.objects.first()
    return {"version": version.version, "digest": version.digest}


def test_a_delivered_policy_is_what_the_hub_holds(service, monkeypatch):
    monkeypatch.setattr(delivery, "READ_BACK", timedelta(0))
    approve(make_proposal())

    delivery.deliver()

    assert held_by(service) == newest()
    assert Hub.objects.get().policy_version == 1


def test_delivering_twice_is_as_good_as_once(service, monkeypatch):
    monkeypatch.setattr(delivery, "READ_BACK", timedelta(0))
    approve(make_proposal())

    delivery.deliver()
    delivery.deliver()

    assert held_by(service) == newest()


def test_an_older_delivery_that_comes_late_carries_the_newest(service, monkeypatch):
    monkeypatch.setattr(delivery, "READ_BACK", timedelta(0))
    approve(make_proposal())
    approve(make_proposal())

    delivery.deliver()

    assert held_by(service)["version"] == 2


def test_a_hub_that_is_down_is_tried_again_and_shown(service, monkeypatch):
    monkeypatch.setattr(delivery, "READ_BACK", timedelta(0))
    approve(make_proposal())
    service.end()

    for _ in range(2):
        with pytest.raises(DeliveryError, match="cannot be reached"):
            delivery.deliver()

    assert Hub.objects.get().error_since is not None
    assert Event.objects.filter(verb="hub.failing").count() == 1
    service.start()
    watching.look()
    assert held_by(service) == newest()
    assert Hub.objects.get().error_since is None


def test_with_one_of_two_hubs_down_the_other_is_served(service, settings, monkeypatch):
    monkeypatch.setattr(delivery, "READ_BACK", timedelta(0))
    settings.ENFORCEMENT_URLS = ["http://127.0.0.1:9", *settings.ENFORCEMENT_URLS]
    approve(make_proposal())

    with pytest.raises(DeliveryError, match=r"127\.0\.0\.1:9"):
        delivery.deliver()

    assert held_by(service) == newest()


def test_without_any_hub_a_delivery_says_so(settings):
    settings.ENFORCEMENT_URLS = []
    approve(make_proposal())

    with pytest.raises(DeliveryError, match="ENFORCEMENT_URLS"):
        delivery.deliver()


def test_a_policy_that_was_never_published_here_is_an_alarm(service, monkeypatch):
    monkeypatch.setattr(delivery, "READ_BACK", timedelta(0))
    assert service.put(signed(40, "somebody")).status == 200
    approve(make_proposal())

    for _ in range(2):
        with pytest.raises(DeliveryError, match="409"):
            delivery.deliver()
    watching.look()

    assert Event.objects.filter(verb="policy.conflict").count() == 1
    assert Hub.objects.get().conflict_at is not None


def test_a_hub_that_is_ahead_with_a_policy_of_ours_is_fine(service, monkeypatch):
    monkeypatch.setattr(delivery, "READ_BACK", timedelta(0))
    approve(make_proposal())
    older = PolicyVersion.objects.first()
    approve(make_proposal())
    delivery.deliver()

    assert delivery.hand_over(hub.address(service), older) == ""
    assert held_by(service)["version"] == 2


def test_reconciling_brings_a_hub_that_lost_its_disk_up_to_date(service, monkeypatch, tmp_path, settings):
    monkeypatch.setattr(delivery, "READ_BACK", timedelta(0))
    approve(make_proposal())
    delivery.deliver()
    service.end()
    (service.state / "policy.json").unlink(missing_ok=True)
    for leftover in service.state.glob("polic*"):
        leftover.unlink()
    service.start()
    assert held_by(service) is None

    watching.look()

    assert held_by(service) == newest()


def test_reconciling_makes_active_what_a_gateway_shows(service):
    correction = make_correction(state=State.ENFORCING)
    hub.post_report(service)

    watching.look()

    assert fresh(correction).state == State.ACTIVE
    assert Gateway.objects.get().name == "gateway-1"


def test_a_wrong_token_is_said_in_words(service, settings):
    settings.ENFORCEMENT_TOKEN = "wrong"
    approve(make_proposal())

    with pytest.raises(DeliveryError, match="401"):
        delivery.deliver()


def test_a_hub_that_answers_nonsense_is_an_error_of_its_own(settings, service):
    settings.ENFORCEMENT_URLS = [hub.address(service) + "/healthz#"]
    watching.look()

    assert Hub.objects.get().error


def traffic_record(**changes):
    plain = {
        "at": timezone.now().isoformat(),
        "gateway": "gateway-1",
        "user": "alice",
        "organisation": "acme",
        "key": "key-alice",
        "application": "acme-support",
        "use_case": "customer-support",
        "endpoint": "chat.completions",
        "model": "aurora-large",
        "tools": ["browser"],
        "stream": False,
        "max_tokens": 100,
        "status": 200,
        "correction": None,
        "tokens_in": 10,
        "tokens_out": 20,
    }
    return plain | changes


def test_traffic_is_fetched_once(service, monkeypatch):
    monkeypatch.setattr(traffic, "PAGE", 2)
    records = [traffic_record(user=f"user-{number}") for number in range(5)]
    assert service.post("/v1/traffic", {"gateway": "gateway-1", "records": records}).status == 204

    traffic.pull()
    traffic.pull()

    assert sorted(TrafficRecord.objects.values_list("user", flat=True)) == [f"user-{n}" for n in range(5)]


def test_old_traffic_is_forgotten(service):
    old = (timezone.now() - timedelta(hours=27)).isoformat()
    records = [traffic_record(), traffic_record(at=old)]
    service.post("/v1/traffic", {"gateway": "gateway-1", "records": records})
    traffic.pull()

    traffic.purge(now=timezone.now())

    assert TrafficRecord.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_delivery_follows_its_policy_to_the_gateway_and_back(service, monkeypatch):
    """A gateway that reports half a second later turns the correction active before the delivery ends."""
    monkeypatch.setattr(delivery, "READ_BACK", timedelta(seconds=60))
    proposal = make_proposal()
    decide(proposal)

    def gateway():
        time.sleep(0.5)
        hub.post_report(service)
        connection.close()

    thread = threading.Thread(target=gateway)
    thread.start()
    delivery.deliver()
    thread.join()

    assert fresh(proposal.correction).state == State.ACTIVE


@pytest.mark.django_db(transaction=True)
def test_a_lift_follows_the_same_way(service, monkeypatch):
    monkeypatch.setattr(delivery, "READ_BACK", timedelta(seconds=60))
    correction = make_correction()
    delivery.deliver()
    lift(correction)

    hub.post_report(service)
    delivery.deliver()

    assert fresh(correction).state == State.LIFTED
    assert held_by(service)["version"] == 2


def test_expiry_is_delivered_too(service, clock, monkeypatch):
    monkeypatch.setattr(delivery, "READ_BACK", timedelta(0))
    correction = make_correction(at_expiry="lift")
    clock.move_to(correction.expires_at + timedelta(seconds=1), tick=False)
    actions.tick(now=timezone.now())

    delivery.deliver()

    assert held_by(service) == newest()
    assert newest()["version"] == 2
