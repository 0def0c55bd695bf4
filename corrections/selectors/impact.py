"""Whom a correction would touch: the last day's requests, replayed against its scopes."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q

from corrections import registers
from corrections.models import TrafficRecord
from enforcement import policy
from enforcement.decide import Attributes, matches, offers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.db.models import QuerySet

WINDOW = timedelta(hours=24)
SHOWN = 20
"""Organisations listed by name; the rest are counted."""
_ATTRIBUTES = ("user", "organisation", "key", "application", "use_case", "endpoint", "model", "tools")


@dataclass(frozen=True)
class Organisation:
    """One organisation that would be touched, and what it would fall back to."""

    name: str
    requests: int
    fallback: str


@dataclass(frozen=True)
class Impact:
    """An estimate from the requests of the last 24 hours.

    :param share: of all requests, between 0 and 1.
    :param organisations: the most affected first, at most 20.
    :param without_fallback: touched organisations for which no fallback is registered.
    :param hints: how it could be narrower, and what it will not reach.
    """

    since: datetime
    requests: int
    touched: int
    share: float
    users: int
    keys: int
    organisation_count: int
    organisations: tuple[Organisation, ...]
    without_fallback: tuple[str, ...]
    hints: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        """Give plain data, as it is kept with the proposal."""
        return asdict(self) | {"since": self.since.isoformat()}


def impact(correction: policy.Correction, *, now: datetime) -> Impact:
    """Estimate whom this correction would touch; the reference evaluator has the last word."""
    recent = TrafficRecord.objects.filter(at__gt=now - WINDOW, at__lte=now)
    total = recent.count()
    hit = [
        (attributes, count)
        for attributes, count in _grouped(recent, correction)
        if _bites(correction, attributes)
    ]
    touched = sum(count for _, count in hit)
    by_organisation = Counter[str]()
    for attributes, count in hit:
        by_organisation[attributes.organisation] += count
    fallbacks = registers.fallbacks(correction, by_organisation)
    return Impact(
        since=now - WINDOW,
        requests=total,
        touched=touched,
        share=touched / total if total else 0.0,
        users=len({attributes.user for attributes, _ in hit}),
        keys=len({attributes.key for attributes, _ in hit}),
        organisation_count=len(by_organisation),
        organisations=tuple(
            Organisation(name, count, fallbacks.get(name, ""))
            for name, count in by_organisation.most_common(SHOWN)
        ),
        without_fallback=tuple(sorted(name for name in by_organisation if not fallbacks.get(name))),
        hints=tuple(_hints(correction, hit, total)),
    )


def _grouped(
    recent: QuerySet[TrafficRecord], correction: policy.Correction
) -> Iterator[tuple[Attributes, int]]:
    """Give each combination of attributes once; the database leaves out what cannot match."""
    rows = recent.filter(_scope(correction)).values_list(*_ATTRIBUTES).annotate(count=Count("id"))
    for *values, tools, count in rows.order_by().iterator(chunk_size=5000):
        yield Attributes(**dict(zip(_ATTRIBUTES, values, strict=False)), tools=tuple(tools)), count


def _scope(correction: policy.Correction) -> Q:
    scope, users = correction.functionality, correction.users
    within = Q()
    for field, names in (
        ("model", scope.models),
        ("endpoint", scope.endpoints),
        ("application", scope.applications),
        ("use_case", scope.use_cases),
    ):
        if names:
            within &= Q(**{f"{field}__in": names})
    if users.everyone:
        return within
    named = Q(user__in=users.users) | Q(organisation__in=users.organisations) | Q(key__in=users.keys)
    return within & named


def _bites(correction: policy.Correction, attributes: Attributes) -> bool:
    if isinstance(correction.effect, policy.ToolsOff) and not offers(correction.effect, attributes.tools):
        return False
    return matches(correction, attributes)


def _hints(correction: policy.Correction, hit: list[tuple[Attributes, int]], total: int) -> Iterator[str]:
    touched = sum(count for _, count in hit)
    if not total:
        yield "No request was seen in the last 24 hours: this estimate says nothing."
    elif not touched:
        yield "No request of the last 24 hours would have been touched: check the names in the scopes."
    yield from _narrower(correction, hit, touched)
    if isinstance(correction.effect, policy.Suspend) and touched:
        yield "A reroute to a fallback model would restrict the same requests and still answer them."
    if isinstance(correction.effect, policy.Block):
        yield "A block reaches known subjects only; where proper use can do harm, restrict capability or use."


def _narrower(
    correction: policy.Correction, hit: list[tuple[Attributes, int]], touched: int
) -> Iterator[str]:
    if not correction.functionality.models:
        yield from _dimension(hit, touched, "model")
    if correction.users.everyone:
        yield from _dimension(hit, touched, "organisation")
    elif correction.users.organisations and not correction.users.keys:
        yield from _dimension(hit, touched, "key")


def _dimension(hit: list[tuple[Attributes, int]], touched: int, name: str) -> Iterator[str]:
    """Say so where one value stands for most of it: naming it would spare the rest."""
    counts = Counter[str]()
    for attributes, count in hit:
        counts[getattr(attributes, name)] += count
    if len(counts) < 2:  # noqa: PLR2004 - with one value there is nothing to spare
        return
    value, count = counts.most_common(1)[0]
    if count >= touched / 2:
        others = "model" if name == "model" else name
        yield (
            f"The {others} {value} makes {count / touched:.0%} of it; naming it would spare "
            f"{len(counts) - 1} other{'s' if len(counts) > 2 else ''}."  # noqa: PLR2004
        )
