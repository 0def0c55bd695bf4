"""The outbox with a real broker, a real worker and a real relay, while they are killed."""

import os
import signal
import time

import psutil
import pytest
from django.db import connection, transaction

from irapp.audit.models import OutboxItem
from irapp.audit.record import owe
from tests.irapp.processes import running, valkey
from tests.patience import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
APP = "tests.irapp.audit.outbox_process"
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def notes(tmp_path):
    path = tmp_path / "notes"

    def read():
        return path.read_text().split() if path.exists() else []

    read.path = path
    return read


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with valkey(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


def relay(tmp_path, broker_url, name="relay", **more):
    return running("-m", APP, log=tmp_path / f"{name}.log", CELERY_BROKER_URL=broker_url, **more)


@pytest.fixture(scope="module")
def worker(tmp_path_factory, broker, django_db_setup, django_db_blocker):
    command = ["-m", "celery", "-A", APP, "worker", "-c", "1", "--without-gossip", "--without-mingle"]
    log = tmp_path_factory.mktemp("worker") / "worker.log"
    with django_db_blocker.unblock(), running(*command, log=log, CELERY_BROKER_URL=broker.url) as process:
        process.says("ready.")
        yield process


@transaction.atomic
def make_owed(handler, notes, **payload):
    return owe(handler, key="x", payload={"file": str(notes.path), **payload})


def all_done():
    return not OutboxItem.objects.filter(done_at=None).exists()


def test_a_relay_does_not_wait_for_its_poll(tmp_path, notes, broker, worker):
    with relay(tmp_path, broker.url, TEST_POLL="300") as process:
        process.says("relay_started")
        first = make_owed("test.note", notes)
        wait_for(all_done)
        second = make_owed("test.note", notes)
        wait_for(all_done)

    assert notes() == [str(first.pk), str(second.pk)]
    assert "outbox.delivered" in worker.log.read_text()


def test_a_worker_killed_in_mid_task_leaves_the_item_to_the_next_attempt(tmp_path, notes, broker, worker):
    with relay(tmp_path, broker.url):
        item = make_owed("test.killed-once", notes)
        wait_for(all_done)

    item.refresh_from_db()
    assert notes() == ["begun", "begun"]
    assert item.attempts == 2


def test_nothing_depends_on_the_broker(tmp_path, notes):
    with relay(tmp_path, NOWHERE) as process:
        for _ in range(20):
            make_owed("test.note", notes)
        wait_for(all_done)

        assert len(notes()) == 20
        assert process.log.read_text().count("outbox.no_broker") <= 3


def test_a_worker_survives_a_broker_killed_in_mid_task(tmp_path, notes, broker, worker):
    with relay(tmp_path, broker.url):
        make_owed("test.slow", notes, seconds=2)
        wait_for(lambda: notes() == ["begun"])
        broker.kill()
        time.sleep(1)
        broker.start()
        wait_for(all_done)
        item = make_owed("test.note", notes)
        wait_for(lambda: str(item.pk) in notes())

    assert notes()[:2] == ["begun", "ended"]
    assert worker.alive


def test_two_relays_see_to_it_that_each_item_is_carried_out_once(tmp_path, notes):
    with relay(tmp_path, NOWHERE, "one"), relay(tmp_path, NOWHERE, "two"):
        items = [str(make_owed("test.note", notes).pk) for _ in range(30)]
        wait_for(all_done)

    assert sorted(notes()) == sorted(items)


def test_a_relay_outlives_the_loss_of_its_database_connections(tmp_path, notes):
    with relay(tmp_path, NOWHERE) as process:
        process.says("relay_started")
        make_owed("test.note", notes)
        wait_for(all_done)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        make_owed("test.note", notes)
        wait_for(all_done)

        assert process.alive
        assert len(notes()) == 2


def test_a_relay_asked_to_end_ends_its_item_first(tmp_path, notes):
    with relay(tmp_path, NOWHERE) as process:
        make_owed("test.slow", notes, seconds=1)
        wait_for(lambda: notes() == ["begun"])
        os.kill(process.pid, signal.SIGTERM)

        assert psutil.Process(process.pid).wait(60) == 0 or not process.alive
    assert notes() == ["begun", "ended"]
    assert all_done()
    assert "relay_stopped" in process.log.read_text()
