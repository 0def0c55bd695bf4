"""One gateway that says nonsense does not stop the others from being heard."""

from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from unittest.mock import Mock

import msgspec
import pytest
from django.utils import timezone

from corrections.models import Gateway, Hub, TrafficRecord
from corrections.publishing import watching
from corrections.publishing.client import Status, Traffic
from corrections.publishing.reports import take_in
from corrections.publishing.traffic import pull, take_in_what_can_be
from corrections.publishing.traffic import take_in as take_in_traffic
from corrections.selectors.truth import truth
from corrections.states import State
from enforcement import report
from tests.corrections import gateways
from tests.corrections.factories import decide, fresh, make_officer, make_proposal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_hub(settings):
    settings.ENFORCEMENT_URLS = []


def enforcing():
    return fresh(decide(make_proposal()))


def status(**reports):
    raw = {name: msgspec.Raw(msgspec.json.encode(said)) for name, said in reports.items()}
    return Status(policy=None, gateways=raw)


def said(name, **changes):
    observed = {"state": "in_force", "verified": True, "checked_at": timezone.now().isoformat()}
    corrections = {key: observed | each for key, each in changes.pop("corrections", {}).items()}
    return gateways.report(name) | changes | {"corrections": corrections}


@pytest.mark.parametrize(
    "nonsense",
    [
        {"reported_at": "2026-01-01T00:00:00"},
        {"reported_at": (timezone.now() + timedelta(days=365)).isoformat()},
        {"envoy": {"version": "x", "live": True, "rejected": -1, "error": ""}},
        {"envoy": {"version": "x", "live": True, "rejected": 2**70, "error": ""}},
        {"envoy": {"version": "x", "live": True, "rejected": 0, "error": "a\x00b"}},
        {"reported_at": "0001-01-01T00:00:00+14:00"},
        {"corrections": {"COR-1.1": {"refused": -1}}},
        {"corrections": {"COR-1.1": {"refused": 2**63}}},
        {"corrections": {"COR-1.1": {"checked_at": "2026-01-01T00:00:00"}}},
        {"corrections": {"COR-1.1": {"checked_at": "0001-01-01T00:00:00+14:00"}}},
        {"policy": {"version": -1, "digest": "x"}},
        {"policy": {"version": 1, "digest": "\x00"}},
        {"agent_version": msgspec.Raw(b'"\xff"')},
    ],
)
def test_a_report_that_cannot_be_kept_leaves_the_next_one_to_be_heard(nonsense):
    take_in(status(aaa=said("aaa", **nonsense), bbb=said("bbb")), now=timezone.now())

    assert list(Gateway.objects.values_list("name", flat=True)) == ["bbb"]


@pytest.mark.parametrize(
    "nonsense",
    [
        {"model": "a\x00b", "tools": ["\x00"]},
        {"model": "x" * 100_000, "tools": ["y" * 300] * 50},
        {"max_tokens": 10**30},
        {"max_tokens": -(10**30), "body_bytes": 2**63},
        {"user": "\\u0000", "correction": "C" * 90, "status": 403},
    ],
)
def test_a_caller_cannot_stop_the_traffic_by_what_is_asked_for(nonsense):
    said = {"records": [traffic(**nonsense), traffic(model="after")], "cursor": "1"}

    take_in_traffic(msgspec.json.decode(msgspec.json.encode(said), type=Traffic).records, now=timezone.now())

    assert TrafficRecord.objects.filter(model="after").exists()
    assert TrafficRecord.objects.count() == 2


@pytest.mark.parametrize("nonsense", [{"refused": -1}, {"refused": 2**63}, {"state": "x" * 30}])
def test_what_was_kept_of_one_gateway_cannot_stop_the_look_at_every_correction(nonsense, monkeypatch):
    alarmed = Mock()
    monkeypatch.setattr(watching.alarms, "settle", alarmed)
    first, second = enforcing(), enforcing()
    told = gateways.report()
    gateways.tell(told)
    told["corrections"][first.policy_id] |= nonsense
    Gateway.objects.update(report=told)

    watching.look()

    assert fresh(second).state == State.ACTIVE
    alarmed.assert_called_once()


def test_a_version_that_no_proxy_could_run_names_no_policy():
    envoy = {"version": "9" * 5000, "live": True, "rejected": 0, "error": ""}
    take_in(status(aaa=said("aaa", envoy=envoy)), now=timezone.now())

    (line,) = truth(make_officer(), now=timezone.now()).gateways

    assert line.observed is None


@pytest.mark.parametrize(
    "nonsense",
    [
        {"status": 70_000},
        {"log": "\x00", "seq": 1},
        {"at": "2026-01-01T00:00:00"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"at": "9999-12-31T23:59:59Z"},
        {"weight": 10**12},
        {"policy": -1},
        {"gateway": "\x00", "seq": 1},
        {"user": msgspec.Raw(b'"\xff"')},
    ],
)
def test_one_record_cannot_keep_back_the_others_of_its_page_nor_the_next_hub(nonsense, settings):
    page = {"records": [traffic(**nonsense), traffic(model="after")], "cursor": "2"}
    with serving_pages(page) as first, serving_pages(page) as second:
        settings.ENFORCEMENT_URLS = [first, second]
        pull()

    assert list(TrafficRecord.objects.values_list("model", flat=True)) == ["after", "after"]
    assert list(Hub.objects.values_list("traffic_cursor", flat=True)) == ["2", "2"]


def test_a_record_that_the_database_refuses_is_left_out_and_the_others_are_kept():
    records = msgspec.convert([traffic(), traffic(model="after")], tuple[report.TrafficRecord, ...])
    bad = msgspec.structs.replace(records[0], status=70_000)

    take_in_what_can_be([bad, records[1]], now=timezone.now())

    assert TrafficRecord.objects.get().model == "after"


@contextmanager
def serving_pages(page):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = msgspec.json.encode(page)
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def traffic(**changes):
    plain = dict.fromkeys(["user", "organisation", "key", "application", "use_case", "model"], "x")
    more = {"at": timezone.now().isoformat(), "gateway": "g", "endpoint": "responses", "tools": []}
    return plain | more | {"stream": False, "max_tokens": None, "status": 200, "correction": None} | changes
