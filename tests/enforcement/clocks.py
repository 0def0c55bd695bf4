"""Whether a start and an end are kept, by what can be said however slow the machine is.

Who asks knows that the gateway decided somewhere between the moment of asking and that of the answer.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tests.enforcement.world import World
from tests.patience import PatienceError

SECOND = timedelta(seconds=1)


class Asked(NamedTuple):
    """One request: when it was asked, when it was answered, and how."""

    at: datetime
    answered: datetime
    status: int


def followed(world: World, who: str, *, until: datetime) -> list[Asked]:
    """Ask without pause, the last time when the moment has come."""
    seen: list[Asked] = []
    while not seen or seen[-1].at < until:
        at = datetime.now(UTC)
        status = world.ask(who, {"model": "aurora-large"}).status
        seen.append(Asked(at, datetime.now(UTC), status))
    return seen


def kept_within_a_second(seen: list[Asked], begins: datetime, ends: datetime) -> None:
    """See that everything in between is refused, and nothing before or after; the last was asked after it."""
    assert seen[-1].at > ends + SECOND
    refused = [one for one in seen if one.status == 403]
    served = [one for one in seen if one.status == 200]
    assert len(refused) + len(served) == len(seen)
    assert not [one for one in refused if one.answered < begins or one.at > ends + SECOND]
    assert not [one for one in served if one.at > begins + SECOND and one.answered < ends]
    if not refused:
        raise PatienceError("nobody got round to asking in time")
