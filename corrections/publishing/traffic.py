"""Fetching the attributes of requests from the hubs; kept briefly, for impact estimates."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from corrections.models import Hub, TrafficRecord
from corrections.publishing import hubs
from corrections.publishing.client import HubClient, HubError

if TYPE_CHECKING:
    from datetime import datetime

    from corrections.publishing.client import Traffic
    from enforcement import report

PAGE = 1000
PAGES_AT_ONCE = 20
KEPT = timedelta(hours=26)
"""A little more than the day that estimates look at."""

log = structlog.get_logger(__name__)


def pull() -> None:
    """Fetch what is new from every hub."""
    for url in settings.ENFORCEMENT_URLS:
        try:
            _pull_from(HubClient(url))
        except HubError as error:
            hubs.note_error(url, str(error), now=timezone.now())


def purge(*, now: datetime) -> None:
    """Forget what is too old to be looked at."""
    TrafficRecord.objects.filter(at__lt=now - KEPT).delete()


def _pull_from(client: HubClient) -> None:
    hub, _ = Hub.objects.get_or_create(url=client.url)
    after = hub.traffic_cursor
    for _page in range(PAGES_AT_ONCE):
        page = client.traffic(after=after, limit=PAGE)
        if page.lost:
            log.warning("traffic_lost", hub=client.url, lost=page.lost)
        if not _keep(client.url, page, after=after) or len(page.records) < PAGE:
            return
        after = page.cursor


@transaction.atomic
def _keep(url: str, page: Traffic, *, after: str) -> bool:
    """Keep a page and where it ended, together: a record is never counted twice and never left out."""
    hub = Hub.objects.select_for_update().get(url=url)
    if hub.traffic_cursor != after:
        return False  # another worker was here
    if page.records:
        TrafficRecord.objects.bulk_create(map(_row, page.records))
    if page.cursor != after:
        hub.traffic_cursor = page.cursor
        hub.save(update_fields=["traffic_cursor"])
    return True


def _row(said: report.TrafficRecord) -> TrafficRecord:
    values = {name: getattr(said, name) for name in said.__struct_fields__}
    values |= {"tools": list(said.tools), "correction": said.correction or ""}
    return TrafficRecord(**{name: _storable(value) for name, value in values.items()})


def _storable(value: object) -> object:
    """Names come from callers: PostgreSQL takes every character but one."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    return [_storable(each) for each in value] if isinstance(value, list) else value
