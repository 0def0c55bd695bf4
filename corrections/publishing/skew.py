"""Whether a gateway's clock and ours agree, as far as its reports show it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from django.db import transaction

from corrections.models import Gateway
from enforcement.report import Problem

if TYPE_CHECKING:
    from corrections.publishing.client import Heard

CODE = "clock"
"""What agents, too, call it; they compare themselves with the hubs."""
AHEAD = timedelta(seconds=5)
"""No way is so fast that a report comes before it was written."""
BEHIND = timedelta(seconds=15)
"""A report is as old as a hub takes its gateway to be alive, and has then been on its way."""
_ROUGHLY = (10, 30, 60, 300, 600, 1800, 3600)


def with_skew(heard: Heard, *, now: datetime) -> Heard:
    """Add the problem to a report if there is one, whoever of the two is wrong.

    The last report of a gateway that is gone may have come long ago, and says nothing of that.
    """
    ahead = heard.reported_at - now
    if not heard.live or -BEHIND <= ahead <= AHEAD:
        return heard
    others = tuple(each for each in heard.problems if each.code != CODE)
    return msgspec.structs.replace(heard, problems=(*others, Problem(code=CODE, detail=_told(ahead))))


@transaction.atomic
def note_untaken(heard: Heard, *, known: datetime | None, now: datetime) -> None:
    """Write the problem into what was last taken in, where a report cannot be taken in for its time.

    :param known: when that was reported; nothing is said of what came after it.
    """
    rows = Gateway.objects.select_for_update(of=("self",), no_key=True)
    gateway = rows.filter(name=heard.gateway, reported_at=known).first()
    if gateway is None or gateway.report is None:
        return
    others = [each for each in gateway.report["problems"] if each["code"] != CODE]
    problem = {"code": CODE, "detail": _told(heard.reported_at - now)}
    gateway.report = {**gateway.report, "problems": [*others, problem]}
    gateway.save(update_fields=["report"])


def _told(ahead: timedelta) -> str:
    seconds = _about(abs(ahead.total_seconds()))
    return f"it is about {seconds} s {'ahead of' if ahead > timedelta() else 'behind'} ours"


def _about(seconds: float) -> int:
    """Give a rough figure: reports are on their way for now shorter, now longer, and that is no news."""
    if seconds > _ROUGHLY[-1]:
        return round(seconds / _ROUGHLY[-1]) * _ROUGHLY[-1]
    return min(_ROUGHLY, key=lambda step: abs(step - seconds))
