"""Whether the policy that decided a request would have refused it, by its attributes alone.

Cheap for thousands of requests: equal ones are asked once, and the reference evaluator finds corrections by
whom they name. Content, counts and turns are not known here, so what only filters or limits is never held
against a gateway.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import structlog

from corrections.models import Acknowledgement, PolicyVersion
from corrections.publishing.attachments import stored
from enforcement import policy
from enforcement.decide import Attributes, Rules, lifts_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from enforcement.decide import Attachments
    from enforcement.report import TrafficRecord

EDGE: Final = timedelta(seconds=2)
"""Clocks differ: a request this near to a start, an end or a change of policy proves nothing."""
REFUSING: Final = (
    *(policy.Block, policy.Allow, policy.ForbidUse, policy.RequireUse, policy.ToolsOff, policy.FeatureOff),
    *(
        policy.InputCap,
        policy.Suspend,
        policy.MarketRemoval,
        policy.Halt,
        policy.Decommission,
        policy.Reroute,
    ),
    policy.Downgrade,
)
"""Kinds that refuse by attributes that a record carries; the last two where they lead in a circle."""
REMEMBERED: Final = 20_000
SERVED: Final = range(200, 400)
_FIELDS: Final = (
    *("user", "organisation", "key", "application", "use_case", "endpoint", "model", "region", "tier"),
    *("platform", "tools", "features", "stream", "max_tokens"),
)
log = structlog.get_logger(__name__)


class Screen:
    """One policy, prepared to be asked often."""

    def __init__(self, content: policy.Content, attachments: Attachments) -> None:
        self._rules = Rules(content, attachments)
        enforced = (each for each in content.corrections if each.mode == "enforce")
        self._refuses = any(isinstance(each.effect, REFUSING) for each in enforced)
        moments = {moment for each in content.corrections for moment in _moments(each)}
        self._edges: Sequence[datetime] = sorted(moments)
        self._known: dict[tuple[int, Attributes], str] = {}

    def refusing(self, attributes: Attributes, *, at: datetime) -> str:
        """Give the correction that refuses the request; nothing also near an edge, where nobody can say."""
        place = bisect_left(self._edges, at)
        near = self._edges[max(place - 1, 0) : place + 1]
        if not self._refuses or any(abs(at - edge) <= EDGE for edge in near):
            return ""
        key = (place, attributes)
        if key not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = self._rules.decide(attributes, now=at).correction or ""
        return self._known[key]


class Screening:
    """The policies that decided a batch of requests, each read once."""

    def __init__(self, records: Iterable[TrafficRecord]) -> None:
        served = [said for said in records if said.status in SERVED]
        unsaid = {said.gateway for said in served if said.policy is None}
        self._acknowledged = _acknowledged(unsaid)
        versions = {said.policy for said in served if said.policy is not None}
        versions |= {version for held in self._acknowledged.values() for _, version in held}
        known = PolicyVersion.objects.filter(version__in=versions)
        self._digests = dict(known.values_list("version", "digest"))

    def missed(self, said: TrafficRecord) -> str:
        """Give the correction that should have refused a request that was served, or nothing."""
        if said.status not in SERVED or not said.weight:
            return ""
        version = said.policy if said.policy is not None else self._at_that_time(said)
        digest = self._digests.get(version) if version is not None else None
        if version is None or digest is None:
            return ""  # a policy that is not ours raises an alarm of its own
        try:
            return _screen(version, digest).refusing(_attributes(said), at=said.at)
        except (policy.PolicyError, LookupError) as error:
            log.warning("traffic_not_judged", policy=version, error=str(error))
            return ""

    def _at_that_time(self, said: TrafficRecord) -> int | None:
        """Give the version that the gateway acknowledged well before and still well after the request."""
        held = self._acknowledged.get(said.gateway, [])
        before = [version for at, version in held if at <= said.at - EDGE]
        changed = any(said.at - EDGE < at <= said.at + EDGE for at, _ in held)
        return None if changed or not before else before[-1]


def _acknowledged(gateways: Iterable[str]) -> dict[str, list[tuple[datetime, int]]]:
    rows = Acknowledgement.objects.filter(gateway__name__in=gateways).order_by("at")
    found: dict[str, list[tuple[datetime, int]]] = {}
    for name, at, version in rows.values_list("gateway__name", "at", "version"):
        found.setdefault(name, []).append((at, version))
    return found


@lru_cache(maxsize=4)
def _screen(version: int, digest: str) -> Screen:  # noqa: ARG001 - the same version of another content is another
    raw = PolicyVersion.objects.values_list("content", flat=True).get(version=version)
    return Screen(policy.parse(bytes(raw), policy.Content), stored())


def _attributes(said: TrafficRecord) -> Attributes:
    values = {name: getattr(said, name) for name in _FIELDS}
    return Attributes(**values, body_bytes=said.body_bytes or 0)


def _moments(each: policy.Correction) -> Iterator[datetime]:
    for moment in (each.starts_at, lifts_at(each), each.grace_until):
        if moment is not None:
            yield moment
