"""Live updates from a real process: who is told what, when, and when no more."""

import http.client
import json
import time

import pytest
from django.db import connection, transaction

from deploy.embedded import ports
from incidents.models import Incident
from irapp.accounts.models import RoleCode
from irapp.audit.models import Event
from irapp.audit.record import hint, record
from tests.incidents.factories import make_commander, make_incident
from tests.irapp.factories import make_user
from tests.irapp.processes import running
from tests.patience import in_time, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
OURS = "http://pages.example:8000"


@pytest.fixture(scope="module")
def process(django_db_setup, django_db_blocker, tmp_path_factory):
    port = ports.free()
    command = ["-m", "uvicorn", "tests.irapp.audit.live_process:application", "--port", str(port)]
    with (
        django_db_blocker.unblock(),
        running(*command, log=tmp_path_factory.mktemp("live") / "live.log", PUBLIC_URL=OURS) as process,
    ):
        wait_for(lambda: ports.answers(port), 60, told="the live process")
        process.port = port
        yield process


class Stream:
    """A browser that listens."""

    def __init__(self, process, topics, session="", path="/live/", **headers):
        self._connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=60)
        cookie = {"Cookie": f"sessionid={session}"} if session else {}
        self._connection.request("GET", f"{path}?topics={topics}", headers={**cookie, **headers})
        self.answer = self._connection.getresponse()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.sock and self._connection.sock.close()
        self.answer.close()

    def lines(self):
        while line := self.answer.readline().decode():
            yield line.rstrip("\n")

    def opened(self):
        next(line for line in self.lines() if line.startswith(": still here"))
        return self

    def hints(self, number=1):
        """The next hints, without heartbeats; ``reset`` stands for itself."""
        found = []
        for line in self.lines():
            if line == "event: reset":
                found.append("reset")
            elif line.startswith("data: ") and line != "data: {}":
                found.append(json.loads(line.removeprefix("data: "))["topics"])
            if len(found) == number:
                break
        return found


@pytest.fixture
def session(client):
    """Sign somebody in and give the value of the cookie."""

    def session(user):
        client.force_login(user)
        return client.cookies["sessionid"].value

    return session


@transaction.atomic
def tell(*topics):
    hint(*topics)


def test_a_page_hears_of_what_it_shows_within_a_moment_of_the_commit(process, session):
    incident = make_incident()
    with Stream(process, f"incident:{incident.pk},inbox", session(make_commander())).opened() as stream:
        started = time.monotonic()
        with transaction.atomic():
            record("incident.touched", incident, by=None)

        assert stream.hints() == [[f"incident:{incident.pk}"]]
        in_time(time.monotonic() - started, 1, told="the hint")
    assert stream.answer.status == 200
    assert stream.answer.headers["Content-Type"] == "text/event-stream"


def test_topics_that_were_not_asked_for_and_changes_rolled_back_are_not_told(process, session):
    def change():
        with transaction.atomic():
            hint("queue")
            raise ZeroDivisionError

    with Stream(process, "queue", session(make_commander())).opened() as stream:
        tell("inbox")
        with pytest.raises(ZeroDivisionError):
            change()
        tell("queue", "inbox")

        assert stream.hints() == [["queue"]]


def test_nobody_hears_that_something_stirs_in_an_incident_they_may_not_see(process, session):
    incident = make_incident()
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    outsider = make_user(RoleCode.RESPONDER)
    with Stream(process, f"incident:{incident.pk},queue", session(outsider)).opened() as stream:
        tell(f"incident:{incident.pk}")
        tell("queue", f"incident:{incident.pk}")

        assert stream.hints() == [["queue"]]


def test_what_was_missed_is_told_again_from_the_last_event_on(process, session):
    incident = make_incident()
    last = Event.objects.latest("pk").pk
    with transaction.atomic():
        record("incident.touched", incident, by=None)

    wanted = f"incident:{incident.pk}"
    with Stream(process, wanted, session(make_commander()), **{"Last-Event-ID": str(last)}) as stream:
        assert stream.hints() == [[wanted]]


def test_what_happened_between_the_making_of_a_page_and_its_stream_is_told(process, session):
    made = int(time.time() * 1000)
    incident = make_incident()

    wanted = f"incident:{incident.pk}"
    with Stream(process, f"{wanted}&since={made}", session(make_commander())) as stream:
        assert stream.hints() == [[wanted]]


def test_whoever_missed_too_much_is_told_to_fetch_everything(process, session):
    incident = make_incident()
    last = Event.objects.latest("pk").pk
    with transaction.atomic():
        for _ in range(201):
            record("incident.touched", incident, by=None)

    with Stream(process, "queue", session(make_commander()), **{"Last-Event-ID": str(last)}) as stream:
        assert stream.hints() == ["reset"]


@pytest.mark.parametrize("wrong", ["", "no-such-session"])
def test_whoever_is_not_signed_in_is_told_to_give_up(process, wrong):
    with Stream(process, "queue", wrong) as stream:
        assert stream.answer.status == 204


@pytest.mark.parametrize(
    "leave",
    [
        lambda user, client: client.logout(),
        lambda user, client: type(user).objects.filter(pk=user.pk).update(is_active=False),
    ],
    ids=["signed out", "deactivated"],
)
def test_the_stream_of_somebody_who_left_ends_by_itself(process, session, client, leave):
    user = make_commander()
    with Stream(process, "queue", session(user)).opened() as stream:
        leave(user, client)

        list(stream.lines())  # comes to an end


def test_the_stream_ends_when_an_incident_is_closed_to_its_listener(process, session):
    incident = make_incident()
    with Stream(
        process, f"incident:{incident.pk}", session(make_user(RoleCode.RESPONDER))
    ).opened() as stream:
        Incident.objects.filter(pk=incident.pk).update(restricted=True)

        list(stream.lines())  # comes to an end


def test_only_our_own_pages_may_listen(process, session):
    key = session(make_commander())

    with Stream(process, "queue", key, Origin="http://evil.example") as stream:
        assert stream.answer.status == 403
        assert "Access-Control-Allow-Origin" not in stream.answer.headers
    with Stream(process, "queue", key, Origin=OURS) as stream:
        assert stream.answer.headers["Access-Control-Allow-Origin"] == OURS
        assert stream.answer.headers["Access-Control-Allow-Credentials"] == "true"


def test_nothing_else_is_served_there(process):
    with Stream(process, "queue", path="/incidents/") as stream:
        assert stream.answer.status == 404


@pytest.mark.parametrize(
    "topics", ["", "%00", "incident:x", "incident:99999999999999999999", "user:1", "a" * 5000]
)
def test_topics_that_make_no_sense_are_not_heard_and_break_nothing(process, session, topics):
    with Stream(process, topics, session(make_commander())).opened() as stream:
        assert stream.answer.status == 200


def test_listeners_fetch_everything_after_the_database_was_away(process, session):
    with Stream(process, "queue", session(make_commander())).opened() as stream:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

        assert stream.hints() == ["reset"]
        tell("queue")
        assert stream.hints() == [["queue"]]
