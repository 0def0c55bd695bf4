"""The requests of the last day before two policies: as it is, and as it would be."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

import msgspec
from django.db.models import Case, IntegerField, Q, Sum, Value, When

from corrections.publishing.attachments import stored
from enforcement import policy
from enforcement.decide import Attributes, Verdict, decide, fallback, matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from django.db.models import QuerySet

    from corrections.models import TrafficRecord

NAMES = (
    *("user", "organisation", "key", "application", "use_case", "region", "tier", "platform"),
    *("endpoint", "model"),
)
LISTS = ("tools", "features")
KEY = (*NAMES, *LISTS)
"""What is asked of the database; every combination of it is decided once."""
READ = policy.InputFilter | policy.OutputFilter | policy.Classifier | policy.SystemPrompt
COUNTED = policy.TurnLimit | policy.LoopCap


@dataclass(frozen=True)
class Seen:
    """Requests that a policy cannot tell apart, and how many there were."""

    attributes: Attributes
    requests: int
    longer: bool


@dataclass(frozen=True)
class Hit:
    """What changes for them.

    :param outcome: ``refused``, ``rerouted``, ``limited``, ``capped``, ``read``, ``spared`` or, where nothing
        changes because something refuses them already, ``kept``.
    :param others: corrections in force that reach them as well.
    """

    seen: Seen
    outcome: str
    to: str = ""
    others: tuple[str, ...] = ()


@dataclass
class Replay:
    """A correction that is proposed, before what is in force.

    :param proposed: as it would be in force: no dry run, no grace, begun.
    :param before: what is in force without it.
    :param after: what would be in force with it.
    """

    proposed: policy.Correction
    before: list[policy.Correction]
    after: list[policy.Correction]
    now: datetime
    _indexes: dict[bool, Index] = field(init=False)

    def __post_init__(self) -> None:
        self._indexes = {False: Index(self.before), True: Index(self.after)}
        self._stored = stored()
        every = [*self.before, *self.after]
        self._own = [each for each in every if each.reference == self.proposed.reference]
        self._reroutes = any(_fallbacks(each.effect) for each in every)

    def hits(self, rows: QuerySet[TrafficRecord]) -> Iterator[Hit]:
        """Give whatever is touched, each combination of attributes once."""
        for seen in self._seen(rows):
            hit = self._hit(seen)
            if hit is not None:
                yield hit

    def _hit(self, seen: Seen) -> Hit | None:
        if not self._reroutes and not any(self._matches(each, seen.attributes) for each in self._own):
            return None
        before, after = self._decide(seen, after=False), self._decide(seen, after=True)
        outcome = self._outcome(seen, before, after)
        return Hit(seen, outcome, after.reroute_to or "", self._others(before, after)) if outcome else None

    def _matches(self, item: policy.Correction, attributes: Attributes) -> bool:
        return matches(item, attributes, self._stored)

    def _decide(self, seen: Seen, *, after: bool) -> Verdict:
        content = policy.Content(corrections=self._indexes[after].near(seen.attributes))
        return decide(seen.attributes, content, now=self.now, attachments=self._stored)

    def _outcome(self, seen: Seen, before: Verdict, after: Verdict) -> str:
        mine = self.proposed.id in after.matched
        if before.action != after.action:
            return "refused" if after.action == "refuse" else "spared"
        if after.action == "refuse":
            return "kept" if mine else ""
        if before.reroute_to != after.reroute_to:
            return "rerouted" if after.reroute_to else "spared"
        return self._milder(seen) if mine else ""

    def _milder(self, seen: Seen) -> str:
        """What does not refuse by attributes alone: it counts, cuts or reads."""
        effect = self.proposed.effect
        if isinstance(effect, policy.Limiting | COUNTED):
            return "limited"
        if isinstance(effect, policy.OutputCap):
            return "capped" if seen.longer else ""
        return "read" if isinstance(effect, READ) else ""

    def _others(self, before: Verdict, after: Verdict) -> tuple[str, ...]:
        met = {*before.matched, *before.exempted, *after.matched, *after.exempted}
        return tuple(sorted(each for each in met if not each.startswith(f"{self.proposed.reference}.")))

    def _seen(self, rows: QuerySet[TrafficRecord]) -> Iterator[Seen]:
        sizes = sorted({e.effect.max_bytes for e in self.after if isinstance(e.effect, policy.InputCap)})
        grouped = (
            rows.filter(self._within())
            .annotate(size=_steps("body_bytes", sizes), longer=_longer(self.proposed.effect))
            .values_list(*KEY, "size", "longer")
            .annotate(requests=Sum("weight"))
            .order_by()
        )
        for *names, tools, features, size, longer, requests in grouped.iterator(chunk_size=5000):
            attributes = Attributes(
                **dict(zip(NAMES, names, strict=True)),
                tools=tuple(tools),
                features=tuple(features),
                body_bytes=sizes[size - 1] + 1 if size else 0,
            )
            yield Seen(attributes, requests, bool(longer))

    def _within(self) -> Q:
        """Leave out in the database what cannot be touched, as far as it can tell."""
        scopes = [_scope(each, models=not self._reroutes) for each in self._own]
        return reduce(or_, scopes) if all(scopes) else Q()  # an empty scope is everything, not nothing


class Index:
    """The corrections that may reach a request, without looking at each of a thousand blocked accounts."""

    def __init__(self, corrections: Iterable[policy.Correction]) -> None:
        self._wide: list[policy.Correction] = []
        self._by_name: dict[tuple[str, str], list[policy.Correction]] = defaultdict(list)
        for each in corrections:
            names = _names(each)
            if names is None:
                self._wide.append(each)
            for name in names or ():
                self._by_name[name].append(each)

    def near(self, attributes: Attributes) -> tuple[policy.Correction, ...]:
        """Give them in the order of a policy."""
        named = [
            each
            for dimension in ("user", "organisation", "key")
            for each in self._by_name.get((dimension, getattr(attributes, dimension)), ())
        ]
        once = {each.id: each for each in [*self._wide, *named]}
        return tuple(once[name] for name in sorted(once))


def as_in_force(correction: policy.Correction) -> policy.Correction:
    """Give a correction as it will bind: begun, without grace, and no dry run."""
    return msgspec.structs.replace(
        correction, mode="enforce", starts_at=None, expires_at=None, grace_until=None
    )


def total(hits: Iterable[Hit], *outcomes: str) -> int:
    """Count requests with one of these outcomes."""
    return sum(hit.seen.requests for hit in hits if hit.outcome in outcomes)


def by_name(hits: Iterable[Hit], name: str) -> Counter[str]:
    """Count requests by one of their attributes."""
    counts = Counter[str]()
    for hit in hits:
        counts[getattr(hit.seen.attributes, name)] += hit.seen.requests
    return counts


def _names(each: policy.Correction) -> list[tuple[str, str]] | None:
    """Give whom it can reach at all; None where that is nobody's name."""
    users = each.users
    if users.everyone or isinstance(each.effect, policy.Allow) or users.regions or users.tiers or users.lists:
        return None
    dimensions = (("user", users.users), ("organisation", users.organisations), ("key", users.keys))
    return [(dimension, name) for dimension, names in dimensions for name in names]


def _fallbacks(effect: policy.Effect) -> bool:
    if isinstance(effect, policy.Shutdown):
        return bool(effect.fallback_models)
    return fallback(effect, "") is not None


def _scope(correction: policy.Correction, *, models: bool) -> Q:
    scope, names = correction.functionality, _names(correction)
    within = Q()
    for name, wanted in (
        ("model", scope.models if models else ()),
        ("endpoint", scope.endpoints),
        ("application", scope.applications),
        ("use_case", scope.use_cases),
        ("platform", scope.platforms),
    ):
        if wanted:
            within &= Q(**{f"{name}__in": wanted})
    if scope.features:
        within &= Q(features__overlap=list(scope.features))
    if names is None:
        return within
    users = correction.users
    return within & (
        Q(user__in=users.users) | Q(organisation__in=users.organisations) | Q(key__in=users.keys)
    )


def _steps(column: str, steps: list[int]) -> Any:
    """Give how many of the steps a value is beyond."""
    whens = [When(**{f"{column}__gt": step}, then=Value(index + 1)) for index, step in enumerate(steps)]
    return Case(*reversed(whens), default=Value(0), output_field=IntegerField())


def _longer(effect: policy.Effect) -> Any:
    """Give whether an answer could have been longer than a cap: it was, or nothing else is known."""
    if not isinstance(effect, policy.OutputCap):
        return Value(0, output_field=IntegerField())
    short = Q(tokens_out__lte=effect.max_tokens) | Q(tokens_out=None, max_tokens__lte=effect.max_tokens)
    return Case(When(short, then=Value(0)), default=Value(1), output_field=IntegerField())
