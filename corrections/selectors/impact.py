"""Whom a correction would touch: the last day's requests, replayed against the whole policy with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Sum
from django.utils import timezone

from corrections import registers
from corrections.models import Correction, TrafficRecord
from corrections.publishing.compile import as_policy
from corrections.selectors.exceeding import exceeding
from corrections.selectors.hints import OUTCOMES, hints
from corrections.selectors.replay import Replay, as_in_force, by_name, total
from corrections.states import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from corrections.selectors.replay import Hit
    from enforcement import policy

WINDOW = timedelta(hours=24)
SHOWN = 20
"""Organisations listed by name; the rest are counted."""


@dataclass(frozen=True)
class Organisation:
    """One organisation that would be touched, and what it would fall back to."""

    name: str
    requests: int
    fallback: str


@dataclass(frozen=True)
class Overlap:
    """Another correction in force that reaches some of the same requests."""

    correction: str
    requests: int


@dataclass(frozen=True)
class Impact:
    """An estimate from the requests of the last 24 hours. What is refused already is not counted again.

    :param touched: requests for which something changes.
    :param share: of all requests, between 0 and 1.
    :param organisations: the most affected first, at most 20.
    :param without_fallback: touched organisations for which no fallback is registered or decided.
    :param hints: how it could be narrower, and what it will not reach.
    :param outcomes: requests by what would become of them: ``refused``, ``rerouted``, ``limited``,
        ``capped``, ``read``, ``spared``, and ``kept`` for what is refused already.
    :param exceeding: for a limit per window, the requests and tokens beyond it.
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
    outcomes: Mapping[str, int]
    exceeding: Mapping[str, int] | None
    overlaps: tuple[Overlap, ...]

    def as_data(self) -> dict[str, Any]:
        """Give plain data, as it is kept with the proposal."""
        return asdict(self) | {"since": self.since.isoformat()}


def impact(correction: policy.Correction, *, now: datetime, action: Action = Action.IMPOSE) -> Impact:
    """Estimate whom this correction would touch; for a lift, whom it touches now.

    :param correction: with its own reference where it has one, so that the version it replaces gives way.
    """
    replay = _replay(correction, now=now, action=action)
    recent = TrafficRecord.objects.between(now - WINDOW, now)
    requests = recent.aggregate(weight=Sum("weight"))["weight"] or 0
    hits = list(replay.hits(recent))
    changed = [hit for hit in hits if hit.outcome != "kept"]
    touched = total(changed, *OUTCOMES)
    organisations = by_name(changed, "organisation")
    fallbacks = registers.fallbacks(correction, organisations)
    suffering = by_name((hit for hit in changed if hit.outcome != "spared"), "organisation")
    return Impact(
        since=now - WINDOW,
        requests=requests,
        touched=touched,
        share=touched / requests if requests else 0.0,
        users=len(by_name(changed, "user")),
        keys=len(by_name(changed, "key")),
        organisation_count=len(organisations),
        organisations=tuple(
            Organisation(name, count, fallbacks.get(name, ""))
            for name, count in organisations.most_common(SHOWN)
        ),
        without_fallback=tuple(sorted(name for name in suffering if not fallbacks.get(name))),
        hints=tuple(hints(correction, hits, requests)),
        outcomes={name: count for name in (*OUTCOMES, "kept") if (count := total(hits, name))},
        exceeding=exceeding(correction.effect, hits, recent),
        overlaps=_overlaps(hits),
    )


def seen_organisations(models: Iterable[str]) -> list[str]:
    """Give the organisations that used one of these models in the last day."""
    now = timezone.now()
    recent = TrafficRecord.objects.between(now - WINDOW, now).filter(model__in=list(models))
    return sorted(recent.order_by().values_list("organisation", flat=True).distinct())


def _replay(correction: policy.Correction, *, now: datetime, action: Action) -> Replay:
    in_force = [as_policy(each) for each in Correction.objects.wanted(now=now)]
    others = [each for each in in_force if each.reference != correction.reference]
    proposed = as_in_force(correction)
    before = in_force if action == Action.IMPOSE else others
    return Replay(proposed, before, [*others, proposed], now)


def _overlaps(hits: Iterable[Hit]) -> tuple[Overlap, ...]:
    counts = Counter[str]()
    for hit in hits:
        for other in hit.others:
            counts[other] += hit.seen.requests
    return tuple(Overlap(name, count) for name, count in counts.most_common(SHOWN))
