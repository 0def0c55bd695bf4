"""The moments of a policy by this gateway's clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from enforcement import policy
from enforcement.decide import in_force

LONGEST_SLEEP = timedelta(seconds=1)


def live(content: policy.Content | None, now: datetime) -> list[policy.Correction]:
    """Give the corrections that bind now."""
    return [one for one in (content.corrections if content else ()) if in_force(one, now)]


def held(content: policy.Content | None, now: datetime) -> int:
    """Count the corrections that are past their expiry and hold."""
    return sum(item.expires_at is not None and now >= item.expires_at for item in live(content, now))


def moments(content: policy.Content | None) -> list[datetime]:
    """Give every moment at which a correction starts, ends, or stops to merely warn."""
    return [
        moment
        for item in (content.corrections if content else ())
        for moment in (item.starts_at, item.grace_until, item.expires_at)
        if moment is not None
    ]


def until_next(known: list[datetime], now: datetime) -> float:
    """Give the seconds to sleep until the next moment; never long, since a clock may be set."""
    ahead = [moment - now for moment in known if moment > now]
    return min([*ahead, LONGEST_SLEEP]).total_seconds() + 0.001
