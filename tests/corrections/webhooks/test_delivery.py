"""A policy on its way to a gateway of one's own, and its acknowledgement on the way back."""

import pytest
import rfc8785
from django.utils import timezone

from corrections import actions as corrections_actions
from corrections.models import CorrectionGateway, Gateway, PolicyVersion
from corrections.states import State
from corrections.webhooks import actions, delivery, tasks
from corrections.webhooks.models import Delivery
from irapp.audit.models import Event, OutboxItem
from tests.corrections import gateways
from tests.corrections.factories import decide, fresh, lift, make_correction, make_officer, make_proposal

pytestmark = pytest.mark.django_db


def enforcing():
    return decide(make_proposal())


def gateway():
    return Gateway.objects.get(kind="webhook")


def test_a_published_policy_is_sent_signed_and_its_acknowledgement_is_kept(add, deliver, receiver):
    add()
    enforcing()

    (item,) = deliver()

    newest = PolicyVersion.objects.first()
    (event, headers), *rest = receiver.seen
    assert not rest
    assert event["type"] == "policy.published"
    assert rfc8785.dumps(event["data"]["policy"]) == bytes(newest.raw)
    assert headers["webhook-id"] == f"msg_{item.pk}"
    assert item.done_at is not None
    assert (gateway().policy_version, gateway().policy_digest) == (newest.version, newest.digest)
    assert gateway().live
    assert gateway().acknowledgements.get().version == newest.version


def test_nothing_is_sent_before_the_commit_and_nothing_for_a_policy_that_was_rolled_back(add, receiver):
    from django.db import transaction

    add()
    with transaction.atomic():
        enforcing()
        assert OutboxItem.objects.filter(handler="webhook.deliver").exists()
        transaction.set_rollback(True)

    assert not OutboxItem.objects.filter(handler="webhook.deliver").exists()
    assert receiver.seen == []


def test_a_correction_turns_active_only_when_the_webhook_has_acknowledged_it_too(add, deliver):
    add()
    correction = enforcing()
    gateways.show()
    assert fresh(correction).state == State.ENFORCING

    deliver()

    assert fresh(correction).state == State.ACTIVE


def test_a_webhook_that_nobody_waits_for_holds_nothing_up(add):
    add(required=False)
    correction = enforcing()

    gateways.show()

    assert fresh(correction).state == State.ACTIVE
    assert correction.at_gateways.get(gateway__kind="webhook").detail != ""


def test_what_a_webhook_acknowledges_is_never_called_verified(add, deliver):
    add()
    correction = enforcing()
    gateways.show()

    deliver()

    row = CorrectionGateway.objects.get(correction=correction, gateway__kind="webhook")
    assert (row.state, row.verified, row.detail) == ("acknowledged", False, "")


def test_a_lift_waits_for_the_acknowledgement_as_well(add, deliver):
    add()
    correction = enforcing()
    gateways.show()
    deliver()
    lift(fresh(correction))
    gateways.show()
    assert fresh(correction).state == State.LIFTING

    deliver()

    assert fresh(correction).state == State.LIFTED


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, b"out of order", "It answered 500: out of order"),
        (200, b"ok", 'It answered 200 without {"version", "digest"}'),
        (200, {"version": 0, "digest": ""}, "It holds policy none and was sent"),
        (200, {"version": 1, "digest": "sha256:wrong"}, "with another digest"),
        (302, b"http://127.0.0.1:1/elsewhere", "It answered 302"),
        (200, b"x" * 70_000, "longer than"),
        (500, b"a\x00b", "It answered 500: a\ufffdb"),
        (200, {"version": -1, "digest": ""}, "It answered 200 without"),
        (200, {"version": 10**30, "digest": ""}, "It answered 200 without"),
        (200, {"version": 1, "digest": "\x00"}, "It answered 200 without"),
    ],
)
def test_whatever_is_no_acknowledgement_is_told_and_tried_again(add, deliver, receiver, status, body, words):
    endpoint = add()
    correction = enforcing()
    receiver.answers = [(status, body)]

    (item,) = deliver()

    assert item.done_at is None
    assert item.due_at > timezone.now()
    assert words in item.last_error
    assert words in Delivery.objects.get(endpoint=endpoint).error
    assert not gateway().live
    gateways.show()
    assert fresh(correction).state == State.ENFORCING
    OutboxItem.objects.filter(pk=item.pk).update(due_at=timezone.now())
    (item,) = deliver()
    assert item.done_at is not None
    assert fresh(correction).state == State.ACTIVE
    verbs = Event.objects.filter(verb__startswith="webhook.").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["webhook.added", "webhook.failing", "webhook.recovered"]


def test_a_repeated_delivery_carries_the_same_id_and_changes_nothing(add, deliver, receiver):
    add()
    enforcing()
    (item,) = deliver()
    before = gateway().policy_version

    delivery.deliver(item.payload, item.pk)

    ids = [headers["webhook-id"] for _, headers in receiver.seen]
    assert ids == [f"msg_{item.pk}"] * 2
    assert gateway().policy_version == before


def test_a_delivery_that_comes_late_sends_the_newest_policy(add, receiver):
    add()
    enforcing()
    enforcing()
    first = OutboxItem.objects.filter(handler="webhook.deliver").earliest("pk")

    delivery.deliver(first.payload, first.pk)

    assert receiver.held["version"] == PolicyVersion.objects.first().version > first.payload["version"]


def test_two_messages_to_one_endpoint_are_never_under_way_together(add):
    endpoint = add()
    enforcing()
    item = OutboxItem.objects.get(handler="webhook.deliver")

    with another_session_holds(endpoint), pytest.raises(delivery.DeliveryError, match="under way"):
        delivery.deliver(item.payload, item.pk)


def test_a_receiver_that_lost_its_policy_is_found_out_and_sent_it_again(add, deliver, receiver):
    endpoint = add()
    enforcing()
    deliver()
    receiver.held = {"version": None, "digest": ""}

    tasks.ask_endpoint(endpoint.pk)
    assert gateway().policy_version is None
    tasks.ask_endpoint(endpoint.pk)
    deliver()

    assert receiver.held["version"] == gateway().policy_version == PolicyVersion.objects.first().version
    assert OutboxItem.objects.filter(handler="webhook.deliver").count() == 2


def test_an_endpoint_that_goes_unheard_counts_as_silent_and_the_correction_as_drifted(add, deliver, clock):
    add()
    correction = enforcing()
    gateways.show()
    deliver()
    assert fresh(correction).state == State.ACTIVE

    clock.shift(101)
    gateways.show()

    assert gateway().is_silent(now=timezone.now())
    assert "edge is silent" in fresh(correction).drift


def test_questions_that_bring_nothing_new_leave_no_rows(add, deliver):
    endpoint = add()
    make_correction()
    deliver()
    kept = Delivery.objects.count()

    for _ in range(3):
        tasks.ask_endpoint(endpoint.pk)

    assert Delivery.objects.count() == kept
    assert gateway().seen_at > timezone.now() - timezone.timedelta(seconds=5)


def test_only_the_last_deliveries_are_kept(add, monkeypatch):
    monkeypatch.setattr("corrections.webhooks.noting.KEPT", 3)
    endpoint = add()

    for _ in range(5):
        delivery.ask(endpoint, quietly=False)

    assert Delivery.objects.filter(endpoint=endpoint).count() == 3


def test_a_receiver_that_says_gone_is_paused(add, deliver, receiver):
    endpoint = add()
    enforcing()
    receiver.answers = [(410, b"")]

    deliver()

    endpoint.refresh_from_db()
    assert endpoint.paused_because == "It answered 410 Gone."
    assert Event.objects.filter(verb="webhook.paused", actor_id=None).exists()


def test_a_webhook_that_is_removed_while_its_message_is_under_way_stays_removed(add, admin, monkeypatch):
    endpoint = add()
    plain = delivery.sending.post

    def removed_meanwhile(*said):
        answer = plain(*said)
        actions.remove_endpoint(endpoint_id=endpoint.pk, reason="Gone.", by=admin)
        return answer

    monkeypatch.setattr(delivery.sending, "post", removed_meanwhile)

    outcome = delivery.ask(endpoint, quietly=False)

    assert outcome.error == ""
    assert gateway().retired_at is not None
    assert not Event.objects.filter(verb="gateway.returned").exists()


def test_nobody_brings_a_removed_webhook_back_by_reporting_under_its_name(add, admin):
    endpoint = add("edge")
    correction = enforcing()
    actions.remove_endpoint(endpoint_id=endpoint.pk, reason="Gone.", by=admin)

    gateways.show("edge", corrections={})
    gateways.show()

    assert gateway().retired_at is not None
    assert fresh(correction).state == State.ACTIVE


def test_a_webhook_that_was_retired_and_answers_stays_retired(add, clock):
    endpoint = add()
    clock.shift(200)
    corrections_actions.retire_gateway(gateway_id=gateway().pk, reason="Moved.", by=make_officer())
    clock.shift(1)

    assert delivery.ask(endpoint, quietly=False).error == ""

    assert gateway().retired_at is not None
    assert gateway().reports_again(now=timezone.now())


def test_a_paused_endpoint_is_sent_nothing_until_it_is_resumed(add, deliver, receiver, admin):
    endpoint = add()
    actions.pause_endpoint(endpoint_id=endpoint.pk, reason="Maintenance.", by=admin)
    enforcing()
    assert deliver() == []

    actions.resume_endpoint(endpoint_id=endpoint.pk, by=admin)
    deliver()

    assert receiver.held["version"] == PolicyVersion.objects.first().version


def test_a_new_endpoint_gets_the_policy_there_is(add, deliver, receiver):
    make_correction()
    add()

    deliver()

    assert receiver.held["version"] == PolicyVersion.objects.first().version


def test_a_receiver_may_report_like_a_gateway_and_then_counts_as_observed(add, deliver):
    add()
    correction = enforcing()
    gateways.show()
    deliver()

    gateways.show("edge")

    row = CorrectionGateway.objects.get(correction=correction, gateway__name="edge")
    assert (row.state, row.verified) == ("in_force", True)
    assert not gateway().unobserved


def another_session_holds(endpoint):
    from contextlib import contextmanager

    import psycopg2
    from django.db import connection

    @contextmanager
    def holding():
        other = psycopg2.connect(**connection.get_connection_params() | {"cursor_factory": None})
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s, %s)", [delivery._LOCK, endpoint.pk])
            yield
        finally:
            other.close()

    return holding()


def test_a_gateway_that_reports_as_litellm_is_an_adapter_and_counts_like_any_other():
    correction = enforcing()

    gateways.show("litellm-1", envoy={"version": "litellm 1.106.2", "live": True, "rejected": 0, "error": ""})

    assert Gateway.objects.get(name="litellm-1").kind == Gateway.Kind.ADAPTER
    assert fresh(correction).state == State.ACTIVE


def test_only_endpoints_that_were_not_asked_lately_are_asked_and_ended_secrets_are_forgotten(
    add, admin, clock, monkeypatch
):
    asked = []
    monkeypatch.setattr(tasks.ask_endpoint, "delay", asked.append)
    first, second = add("first"), add("second")
    paused = add("paused")
    actions.pause_endpoint(endpoint_id=paused.pk, reason="x", by=admin)
    actions.rotate_secret(endpoint_id=first.pk, overlap_hours=1, by=admin)
    tasks.ask_endpoint(second.pk)

    tasks.ask_endpoints()
    clock.shift(3601)
    tasks.ask_endpoints()

    assert asked == [first.pk, first.pk, second.pk]
    assert first.secrets.count() == 1
