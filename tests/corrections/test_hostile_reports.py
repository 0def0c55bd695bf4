"""One gateway that says nonsense does not stop the others from being heard."""

from datetime import timedelta

import msgspec
import pytest
from django.utils import timezone

from corrections.models import Gateway, TrafficRecord
from corrections.publishing.client import Status, Traffic
from corrections.publishing.reports import take_in
from corrections.publishing.traffic import take_in as take_in_traffic
from tests.corrections import gateways

pytestmark = pytest.mark.django_db


def status(**reports):
    raw = {name: msgspec.Raw(msgspec.json.encode(said)) for name, said in reports.items()}
    return Status(policy=None, gateways=raw)


def said(name, **changes):
    return gateways.report(name) | changes


@pytest.mark.parametrize(
    "nonsense",
    [
        {"reported_at": "2026-01-01T00:00:00"},
        {"reported_at": (timezone.now() + timedelta(days=365)).isoformat()},
        {"envoy": {"version": "x", "live": True, "rejected": -1, "error": ""}},
        {"envoy": {"version": "x", "live": True, "rejected": 2**70, "error": ""}},
        {"envoy": {"version": "x", "live": True, "rejected": 0, "error": "a\x00b"}},
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


def traffic(**changes):
    plain = dict.fromkeys(["user", "organisation", "key", "application", "use_case", "model"], "x")
    more = {"at": timezone.now().isoformat(), "gateway": "g", "endpoint": "responses", "tools": []}
    return plain | more | {"stream": False, "max_tokens": None, "status": 200, "correction": None} | changes
