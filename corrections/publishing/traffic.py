"""Fetching the attributes of requests from the hubs: counted, judged, and a sample kept for a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone

from corrections.models import Acknowledgement, Hub, TrafficSeen
from corrections.publishing import alarms, hubs
from corrections.publishing.client import HubClient, HubError
from corrections.publishing.counting import fresh
from corrections.publishing.ingest import ADDED, Judged, write
from corrections.publishing.screening import Screening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corrections.publishing.client import Traffic
    from enforcement.report import TrafficRecord as Said

PAGE = 5000
PAGES_AT_ONCE = 20
KEPT = timedelta(hours=26)
"""A little more than the day that estimates look at."""
NUMBERS_KEPT = timedelta(days=7)
BY_THE_MINUTE = timedelta(days=7)
"""Older counts are kept by the hour."""
COUNTS_KEPT = timedelta(days=400)
FORGOTTEN_AT_ONCE = 20_000
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)
"""What lies outside would never be forgotten, or could not be read back."""

log = structlog.get_logger(__name__)


def pull() -> None:
    """Fetch what is new from every hub; raise the alarm at once where a gateway let something through."""
    wrong = False
    for url in settings.ENFORCEMENT_URLS:
        try:
            wrong |= _pull_from(HubClient(url))
        except HubError as error:
            hubs.note_error(url, str(error), now=timezone.now())
        except (DataError, IntegrityError) as error:
            log.warning("traffic_not_kept", hub=url, error=str(error))
    if wrong:
        alarms.settle(now=timezone.now())


def purge(*, now: datetime) -> None:
    """Forget requests that are too old to be looked at, a part at a time: what was counted stays."""
    with connection.cursor() as cursor:
        for statement in (_FORGET_MATCHES, _FORGET_RECORDS):
            cursor.execute(statement, [now - KEPT, FORGOTTEN_AT_ONCE])
    TrafficSeen.objects.filter(seen_at__lt=now - NUMBERS_KEPT).delete()


@transaction.atomic
def condense(*, now: datetime) -> None:
    """Make hours of old minutes, and forget what is older than anybody asks for."""
    with connection.cursor() as cursor:
        cursor.execute(_HOURS, [now - BY_THE_MINUTE])
        cursor.execute("DELETE FROM corrections_refusalcount WHERE minute < %s", [now - COUNTS_KEPT])
    newest = Acknowledgement.objects.order_by("gateway_id", "-at").distinct("gateway_id").values("pk")
    Acknowledgement.objects.filter(at__lt=now - NUMBERS_KEPT).exclude(pk__in=newest).delete()


_FORGET_MATCHES = """
DELETE FROM corrections_trafficmatch
WHERE id IN (SELECT id FROM corrections_trafficmatch WHERE at < %s ORDER BY at LIMIT %s)
"""
_FORGET_RECORDS = """
DELETE FROM corrections_trafficrecord WHERE id IN (
  SELECT id FROM corrections_trafficrecord AS old
  WHERE at < %s AND NOT EXISTS (SELECT FROM corrections_trafficmatch WHERE record_id = old.id)
  ORDER BY at LIMIT %s
)
"""
_HOURS = f"""
WITH old AS (
  DELETE FROM corrections_refusalcount
  WHERE minute < date_trunc('hour', %s::timestamptz, 'UTC') AND minute <> date_trunc('hour', minute, 'UTC')
  RETURNING *
)
INSERT INTO corrections_refusalcount
  (correction, minute, organisation, "user", refused, shadow, warned, flagged)
SELECT
  correction, date_trunc('hour', minute, 'UTC'), organisation, "user",
  sum(refused), sum(shadow), sum(warned), sum(flagged)
FROM old GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
{ADDED}
"""  # noqa: S608 - of our own constants


def _pull_from(client: HubClient) -> bool:
    """Take in what one hub has; tell whether something should not have been let through."""
    hub, _ = Hub.objects.get_or_create(url=client.url)
    after, wrong = hub.traffic_cursor, False
    for _page in range(PAGES_AT_ONCE):
        page = client.traffic(after=after, limit=PAGE)
        if page.lost:
            log.warning("traffic_lost", hub=client.url, lost=page.lost)
        kept = _keep(client.url, page, after=after)
        wrong |= bool(kept)
        if kept is None or len(page.records) + page.dropped < PAGE:
            break
        after = page.cursor
    return wrong


@transaction.atomic
def _keep(url: str, page: Traffic, *, after: str) -> int | None:
    """Keep a page and where it ended, together: a record is never counted twice and never left out.

    :returns: how many should not have been let through; None where another worker was here.
    """
    hub = Hub.objects.select_for_update().get(url=url)
    if hub.traffic_cursor != after:
        return None
    wrong = take_in_what_can_be(page.records, now=timezone.now())
    if page.cursor != after:
        hub.traffic_cursor = page.cursor
        hub.save(update_fields=["traffic_cursor"])
    return wrong


def take_in_what_can_be(records: Sequence[Said], *, now: datetime) -> int:
    """Take in a page; where that fails, one record after the other, without those that cannot be kept."""
    good = [said for said in records if _plausible(said, now=now)]
    try:
        return take_in(good, now=now)
    except (DataError, IntegrityError) as error:
        log.warning("traffic_taken_one_by_one", error=str(error))
        return sum(_take_in_alone(said, now=now) for said in good)


def _take_in_alone(said: Said, *, now: datetime) -> int:
    try:
        return take_in([said], now=now)
    except (DataError, IntegrityError) as error:
        log.warning("traffic_record_dropped", gateway=said.gateway, error=str(error))
        return 0


def _plausible(said: Said, *, now: datetime) -> bool:
    fine = EARLIEST <= said.at <= now + AHEAD
    if not fine:
        log.warning("traffic_record_dropped", gateway=said.gateway, error="its time is wrong")
    return fine


@transaction.atomic
def take_in(records: Sequence[Said], *, now: datetime) -> int:
    """Count, judge and keep records; give how many should not have been let through."""
    new = fresh(records, now=now)
    if not new:
        return 0
    screening = Screening(new)
    judged = [Judged(said, screening.missed(said)) for said in new]
    write(judged, now=now)
    return sum(bool(each.missed) for each in judged)
