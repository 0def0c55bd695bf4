"""What is owed is carried out, once per attempt, by whoever holds the lease."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction

from irapp.audit import leases, outbox
from irapp.audit.models import Event, OutboxItem
from irapp.audit.outbox import carry_out, handles
from irapp.audit.record import owe, record
from irapp.audit.relay import sweep
from tests.irapp.audit.test_append_only import Thing

pytestmark = pytest.mark.django_db(transaction=True)
LATER = timedelta(hours=1)


def now():
    return datetime.now(UTC)


@pytest.fixture(autouse=True)
def _handlers(monkeypatch):
    monkeypatch.setattr(outbox, "_handlers", {})


@pytest.fixture
def calls():
    made = []
    handles("test.note")(lambda payload, item_id: made.append((payload, item_id)))
    return made


@transaction.atomic
def make_owed(handler="test.note", **payload):
    return owe(handler, key="thing 7", payload=payload)


def hand_out_once():
    for item_id, lease, _ in leases.claim(now=now()):
        carry_out(item_id, lease)


def test_an_effect_is_carried_out_with_its_payload_and_then_done(calls):
    item = make_owed(size=3)

    hand_out_once()
    hand_out_once()

    assert calls == [({"size": 3}, item.pk)]
    item.refresh_from_db()
    assert item.done_at
    assert item.lease is None


def test_a_transaction_that_was_rolled_back_owes_nothing(calls):
    def change():
        with transaction.atomic():
            owe("test.note", key="x", payload={})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    hand_out_once()

    assert calls == []
    assert not OutboxItem.objects.exists()


def test_an_effect_outside_a_transaction_is_refused():
    with pytest.raises(RuntimeError, match="commit with the change"):
        owe("test.note", key="x", payload={})


def test_the_same_message_delivered_twice_is_carried_out_once(calls):
    make_owed()
    (claim,) = leases.claim(now=now())

    carry_out(claim.item_id, claim.lease)
    carry_out(claim.item_id, claim.lease)

    assert len(calls) == 1


def test_a_message_whose_lease_somebody_else_took_over_does_nothing(calls):
    make_owed()
    (late,) = leases.claim(now=now())
    (current,) = leases.claim(now=now() + leases.ON_ITS_WAY)

    carry_out(late.item_id, late.lease)

    assert calls == []
    carry_out(current.item_id, current.lease)
    assert len(calls) == 1


def test_a_worker_that_lost_its_lease_cannot_mark_the_item_done():
    item = make_owed("test.slow")

    def lose_the_lease(payload, item_id):
        OutboxItem.objects.update(lease=uuid4())  # it took too long, and another worker has it now

    handles("test.slow")(lose_the_lease)

    hand_out_once()

    item.refresh_from_db()
    assert item.done_at is None
    assert item.lease is not None


def test_what_a_vanished_worker_held_is_handed_out_again_when_its_lease_ends(calls):
    item = make_owed()
    (claim,) = leases.claim(now=now())
    leases.begin(claim.item_id, claim.lease, now=now(), patience=lambda _: 20)

    assert leases.claim(now=now()) == []
    assert [again.item_id for again in leases.claim(now=now() + timedelta(seconds=26))] == [item.pk]


def test_a_failure_is_noted_and_tried_again_later_each_time_a_little_more(time_machine):
    time_machine.move_to(now(), tick=False)

    @handles("test.fails")
    def fails(payload, item_id):
        raise ConnectionError("hub is away")

    item = make_owed("test.fails")
    pauses = []
    for _ in range(8):
        OutboxItem.objects.update(due_at=now())
        hand_out_once()
        item.refresh_from_db()
        pauses.append((item.due_at - now()).total_seconds())

    assert item.attempts == 8
    assert item.last_error == "ConnectionError: hub is away"
    assert 0.5 <= pauses[0] <= 1
    assert 30 <= pauses[7] <= 60
    assert leases.claim(now=now()) == []


def test_after_the_last_attempt_people_are_told_and_nobody_tries_again():
    @handles("test.fails", attempts=2)
    def fails(payload, item_id):
        raise ConnectionError("hub is away")

    with transaction.atomic():
        cause = record("thing.made", type("Thing", (Thing,), {"incident_id": 12})(), by=None)
        item = owe("test.fails", key="thing 7", payload={}, event=cause)
    for _ in range(3):
        OutboxItem.objects.update(due_at=now())
        hand_out_once()

    item.refresh_from_db()
    assert item.dead_at
    event = Event.objects.get(verb="outbox.died")
    assert event.incident_id == 12
    assert event.data == {"attempts": 2, "error": "ConnectionError: hub is away"}
    assert leases.claim(now=now() + LATER) == []


def test_an_item_that_ends_every_process_that_touches_it_is_given_up_too(calls):
    handles("test.note", attempts=3)(lambda payload, item_id: calls.append(item_id))
    item = make_owed()
    OutboxItem.objects.update(attempts=3)

    hand_out_once()

    item.refresh_from_db()
    assert calls == []
    assert item.dead_at


def test_an_effect_that_nobody_here_knows_waits_for_somebody_who_does(calls):
    item = make_owed("of.a.newer.release")

    hand_out_once()

    item.refresh_from_db()
    assert item.done_at is None
    assert item.dead_at is None
    assert "UnknownHandlerError" in item.last_error


def test_two_relays_at_once_never_get_the_same_item():
    items = {make_owed(number=number).pk for number in range(40)}
    start = threading.Barrier(2)

    def claim_all():
        start.wait(60)
        got = [claim.item_id for claim in leases.claim(now=now(), limit=3)]
        start.wait(60)  # however fast one is: the other has some, too
        while some := leases.claim(now=now(), limit=3):
            got += [claim.item_id for claim in some]
        connection.close()
        return got

    with ThreadPoolExecutor(2) as pool:
        first, second = (job.result() for job in [pool.submit(claim_all), pool.submit(claim_all)])

    assert sorted(first + second) == sorted(items)
    assert first
    assert second


def test_messages_do_not_pile_up_while_workers_are_away(monkeypatch):
    monkeypatch.setattr(leases, "IN_FLIGHT", 3)
    for number in range(5):
        make_owed(number=number)

    assert len(leases.claim(now=now())) == 3
    assert leases.claim(now=now()) == []


def test_the_sweep_leaves_fresh_items_to_the_relay_and_carries_out_old_ones(calls):
    item = make_owed()

    sweep()
    assert calls == []

    OutboxItem.objects.filter(pk=item.pk).update(due_at=now() - LATER)
    sweep()  # the tests' broker does not exist: nothing may depend on it
    assert [number for _, number in calls] == [item.pk]
