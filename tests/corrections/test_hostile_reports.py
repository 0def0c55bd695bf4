"""One gateway that says nonsense does not stop the others from being heard."""

from datetime import timedelta

import msgspec
import pytest
from django.utils import timezone

from corrections.models import Gateway
from corrections.publishing.client import Status, Traffic
from corrections.publishing.reports import take_in
from corrections.publishing.traffic import _row
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


def test_a_caller_cannot_stop_the_traffic_by_a_name_with_a_nul():
    record = msgspec.json.decode(
        msgspec.json.encode({"records": [traffic(model="a\x00b", tools=["\x00"])], "cursor": "1"}),
        type=Traffic,
    )

    row = _row(record.records[0])
    row.save()

    assert (row.model, row.tools) == ("a\ufffdb", ["\ufffd"])


def traffic(**changes):
    plain = dict.fromkeys(["user", "organisation", "key", "application", "use_case", "model"], "x")
    more = {"at": timezone.now().isoformat(), "gateway": "g", "endpoint": "responses", "tools": []}
    return plain | more | {"stream": False, "max_tokens": None, "status": 200, "correction": None} | changes
