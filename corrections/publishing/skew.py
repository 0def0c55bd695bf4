"""Whether a gateway's clock and ours agree, as far as its reports show it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

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
_ROUGHLY = 5


def with_skew(heard: Heard, *, now: datetime) -> Heard:
    """Add the problem to a report if there is one, whoever of the two is wrong."""
    ahead = heard.reported_at - now
    if ahead <= AHEAD and not (heard.live and ahead < -BEHIND):
        return heard
    others = tuple(each for each in heard.problems if each.code != CODE)
    return msgspec.structs.replace(heard, problems=(*others, Problem(code=CODE, detail=_told(ahead))))


def note_untaken(heard: Heard, *, now: datetime) -> None:
    """Write the problem into what was last taken in, where a report cannot be taken in for its time."""
    gateway = Gateway.objects.filter(name=heard.gateway).first()
    if gateway is None or gateway.report is None:
        return
    others = [each for each in gateway.report["problems"] if each["code"] != CODE]
    problem = {"code": CODE, "detail": _told(heard.reported_at - now)}
    gateway.report = {**gateway.report, "problems": [*others, problem]}
    gateway.save(update_fields=["report"])


def _told(ahead: timedelta) -> str:
    seconds = abs(round(ahead.total_seconds() / _ROUGHLY) * _ROUGHLY)
    return f"it is about {seconds} s {'ahead of' if ahead > timedelta() else 'behind'} ours"
