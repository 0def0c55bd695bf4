"""What corrections did is counted once, whoever tells it how often; a sample is kept."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from corrections.models import Outcome, RefusalCount, TrafficMatch, TrafficRecord, TrafficSeen
from corrections.publishing import counting, ingest, traffic
from corrections.publishing.ingest import Judged, sample
from tests.corrections.test_race import together
from tests.corrections.truth.said import refused, said

pytestmark = pytest.mark.django_db


def take_in(*records):
    return traffic.take_in(records, now=timezone.now())


def counted(field="refused"):
    return sum(RefusalCount.objects.values_list(field, flat=True))


def test_each_refusal_is_counted_by_minute_organisation_and_user():
    minute = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)
    late = minute + timedelta(seconds=59)

    take_in(
        refused("COR-1.1", at=minute),
        refused("COR-1.1", at=late),
        refused("COR-1.1", at=minute, user="bob"),
        refused("COR-2.1", at=minute),
        refused("COR-1.1", at=minute + timedelta(minutes=1)),
    )

    rows = RefusalCount.objects.order_by("correction", "minute", "user")
    assert list(rows.values_list("correction", "minute", "organisation", "user", "refused")) == [
        ("COR-1.1", minute, "acme", "alice", 2),
        ("COR-1.1", minute, "acme", "bob", 1),
        ("COR-1.1", minute + timedelta(minutes=1), "acme", "alice", 1),
        ("COR-2.1", minute, "acme", "alice", 1),
    ]


def test_what_would_be_refused_warned_and_flagged_is_counted_apart():
    take_in(said(shadow=("COR-1.1", "COR-2.1"), warned=("COR-3.1",), flagged=("COR-4.1",)))

    rows = RefusalCount.objects.order_by("correction")
    assert list(rows.values_list("correction", "refused", "shadow", "warned", "flagged")) == [
        ("COR-1.1", 0, 1, 0, 0),
        ("COR-2.1", 0, 1, 0, 0),
        ("COR-3.1", 0, 0, 1, 0),
        ("COR-4.1", 0, 0, 0, 1),
    ]


def test_a_request_that_was_only_changed_is_not_counted_as_refused():
    take_in(said(correction="COR-1.1", status=200))

    assert counted() == 0


def test_the_same_records_again_count_nothing():
    page = [refused("COR-1.1") for _ in range(5)]

    take_in(*page)
    take_in(*page)
    take_in(page[3])

    assert counted() == 5
    assert TrafficRecord.objects.count() == 5


def test_what_comes_in_another_order_from_another_hub_is_counted_once():
    page = [refused("COR-1.1") for _ in range(9)]

    take_in(*page[3:6])
    take_in(*page[:7])
    take_in(*page[6:])

    assert counted() == 9
    (seen,) = TrafficSeen.objects.all()
    assert seen.ranges == [[page[0].seq, page[-1].seq]]


def test_two_logs_and_two_gateways_number_for_themselves():
    take_in(*[refused("COR-1.1", seq=1, log=log, gateway=name) for log in "ab" for name in ("g1", "g2")])

    assert counted() == 4


def test_records_without_a_number_are_taken_as_they_come():
    page = [refused("COR-1.1", seq=None), refused("COR-1.1", seq=None)]

    take_in(*page)

    assert counted() == 2


def test_holes_are_remembered_up_to_a_measure(monkeypatch):
    monkeypatch.setattr(counting, "MOST", 3)

    take_in(*[refused("COR-1.1", seq=number) for number in range(0, 20, 2)])

    (seen,) = TrafficSeen.objects.all()
    assert seen.ranges == [[0, 14], [16, 16], [18, 18]]


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_records_count_them_once():
    take_in(refused("COR-1.1"))  # the log is known: two workers meet at its row, not at its making
    page = [refused("COR-1.1") for _ in range(50)]

    together(*[lambda: traffic.take_in(page, now=timezone.now())] * 4)

    assert counted() == 51
    assert TrafficRecord.objects.count() == 51


def test_attributes_are_kept_and_nothing_else():
    record = said(
        region="eu", tier="free", platform="web", features=("streaming",), tools=("search",), body_bytes=120,
        policy=7, tokens_in=3, tokens_out=4, max_tokens=50, stream=True,
    )  # fmt: skip

    take_in(record)

    kept = TrafficRecord.objects.get()
    same = (
        "at",
        "gateway",
        "user",
        "organisation",
        "key",
        "application",
        "use_case",
        "region",
        "tier",
        "platform",
    )
    more = (
        "endpoint",
        "model",
        "stream",
        "max_tokens",
        "body_bytes",
        "status",
        "policy",
        "tokens_in",
        "tokens_out",
    )
    assert all(getattr(kept, name) == getattr(record, name) for name in (*same, *more))
    assert (kept.tools, kept.features, kept.weight) == (["search"], ["streaming"], 1)


def test_of_busy_traffic_a_sample_stands_for_all():
    begun = timezone.now()
    page = [Judged(said(at=begun + timedelta(milliseconds=number))) for number in range(1000)]

    kept = sample(page)

    assert sum(each.weight for each in kept) == 1000
    assert len(kept) <= ingest.KEPT_PER_SECOND * 2


def test_of_what_a_correction_did_some_is_kept_even_from_busy_traffic():
    begun = timezone.now()
    page = [said(at=begun) for _ in range(2000)]
    page[777] = refused("COR-1.1", at=begun)

    take_in(*page)

    match = TrafficMatch.objects.get(outcome=Outcome.REFUSED)
    assert (match.correction, match.record.weight) == ("COR-1.1", 0)
    window = (begun - timedelta(minutes=1), begun + timedelta(minutes=1))
    assert match.record not in TrafficRecord.objects.between(*window)
    assert sum(TrafficRecord.objects.between(*window).values_list("weight", flat=True)) == 2000


def test_a_record_that_stands_for_eight_weighs_eight_and_one_that_repeats_another_weighs_nothing():
    take_in(said(weight=8), said(weight=0, flagged=("COR-1.1",)), said())

    weights = TrafficRecord.objects.order_by("pk").values_list("weight", flat=True)
    assert list(weights) == [8, 0, 1]
    assert counted("flagged") == 1


def test_old_requests_are_forgotten_and_their_counts_stay():
    now = timezone.now()
    take_in(refused("COR-1.1", at=now - timedelta(hours=27)), refused("COR-1.1", at=now))

    traffic.purge(now=now)

    assert TrafficRecord.objects.count() == TrafficMatch.objects.count() == 1
    assert counted() == 2


def test_old_minutes_become_hours_that_say_the_same():
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=8)
    take_in(*[refused("COR-1.1", at=hour + timedelta(minutes=minute)) for minute in (0, 1, 1, 59)])
    take_in(refused("COR-1.1", at=hour + timedelta(hours=1)), refused("COR-1.1"))

    for _ in range(2):
        traffic.condense(now=timezone.now())

    old = RefusalCount.objects.filter(minute__lt=hour + timedelta(days=1)).order_by("minute")
    assert list(old.values_list("minute", "refused")) == [(hour, 4), (hour + timedelta(hours=1), 1)]
    assert counted() == 6


def test_very_old_counts_are_forgotten():
    take_in(refused("COR-1.1", at=timezone.now() - timedelta(days=401)), refused("COR-1.1"))

    traffic.condense(now=timezone.now())

    assert counted() == 1


def test_a_page_that_fails_half_way_leaves_nothing_behind(monkeypatch):
    def fail(_kept):
        raise RuntimeError

    monkeypatch.setattr(ingest, "_numbers", fail)

    with pytest.raises(RuntimeError), transaction.atomic():
        take_in(refused("COR-1.1"))

    assert counted() == 0
    assert not TrafficSeen.objects.exists()
