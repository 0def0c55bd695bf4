"""Which alarms are open, and whether anybody looks at all."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Max

from corrections.models import Alarm, Hub

if TYPE_CHECKING:
    from datetime import datetime

    from corrections.models.alarm import AlarmQuerySet
    from irapp.accounts.models import User

UNWATCHED = timedelta(seconds=30)
"""The workers look every two seconds; after this long without a trace of them nobody raises alarms."""


def alarms(user: User) -> AlarmQuerySet:
    """Give the alarms that this person may see, with what they are about."""
    found: AlarmQuerySet = Alarm.objects.visible_to(user)
    return found.select_related("correction__package__incident", "gateway", "hub", "acknowledged_by")


def unwatched_since(*, now: datetime) -> datetime | None:
    """Give since when the workers have not looked at the hubs, where that is too long."""
    if not settings.ENFORCEMENT_URLS:
        return None
    seen = Hub.objects.aggregate(seen=Max("seen_at"), wrong=Max("error_since"))
    if seen["wrong"] is not None or seen["seen"] is None:
        return None  # they looked, and said what they found; or they have never begun
    last: datetime = seen["seen"]
    return last if now - last > UNWATCHED else None
