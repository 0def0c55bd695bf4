"""What the policy says about one request: the reference that every rendering is tested against.

Pure: no clock, no files, no Envoy. Exemptions are taken out first. Precedence: shutdown, access, use case,
capability (their union), then limits (the smallest first). Between corrections of one kind the lowest id
speaks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from enforcement import policy
from enforcement.decide.matching import (
    Attachments,
    fallback,
    in_grace,
    matches,
    offers,
    rank,
)
from enforcement.decide.verdict import REFUSALS, Attributes, Limit, Verdict, Warned


@dataclass(frozen=True)
class _Journey:
    """The models that a request meets, the reroutes between them, and the one that leads in a circle."""

    models: tuple[str, ...]
    circle: policy.Correction | None = None


@dataclass
class Case:
    """One request before the corrections that are in force."""

    attributes: Attributes
    live: list[policy.Correction]
    now: datetime
    attachments: Attachments

    def verdict(self) -> Verdict:
        common = Verdict(
            action="allow",
            status=200,
            code="",
            matched=tuple(item.id for item in self.enforced),
            shadow=tuple(item.id for item in self.met if item.mode == "shadow" and self._acts(item)),
            exempted=tuple(item.id for item in self.spared),
            warnings=tuple(self._warnings()),
        )
        refusing = self._refusing()
        if refusing is None:
            return self._allowed(common)
        _, status, code = REFUSALS[type(refusing.effect)]
        return replace(common, action="refuse", status=status, code=code, correction=refusing.id)

    @cached_property
    def exemptions(self) -> list[policy.Correction]:
        return [item for item in self.live if isinstance(item.effect, policy.Exempt)]

    @cached_property
    def journey(self) -> _Journey:
        """Follow reroutes, so that what is restricted for the answering model binds too."""
        models = [self.attributes.model]
        while True:
            steps = [item for item in self.live if self._leads_on(item, models[-1])]
            if not steps:
                return _Journey(tuple(models))
            step = min(steps, key=rank)
            onward = self._onward(step)
            if onward is None or onward in models:
                return _Journey(tuple(models), step)
            models.append(onward)

    @cached_property
    def met(self) -> list[policy.Correction]:
        """What reaches the request at one of the models that it meets, and no exemption spares it."""
        return [
            item for item in self.live if self._reached(item) and not isinstance(item.effect, policy.Exempt)
        ]

    @cached_property
    def enforced(self) -> list[policy.Correction]:
        return [item for item in self.met if item.mode == "enforce"]

    @cached_property
    def spared(self) -> list[policy.Correction]:
        met = set(map(id, self.met))
        return [
            item
            for item in self.live
            if id(item) not in met and any(self._exempt(item, model) for model in self.journey.models)
        ]

    def _reached(self, item: policy.Correction) -> bool:
        return any(self._applies(item, model) for model in self.journey.models)

    def _applies(self, item: policy.Correction, model: str) -> bool:
        return self._matches(item, model) and not self._exempt(item, model)

    def _exempt(self, item: policy.Correction, model: str) -> bool:
        return any(
            item.reference in each.effect.corrections  # type: ignore[union-attr]
            and self._matches(each, model)
            and self._matches(item, model)
            for each in self.exemptions
        )

    def _matches(self, item: policy.Correction, model: str) -> bool:
        return matches(item, self._at(model), self.attachments)

    def _at(self, model: str) -> Attributes:
        if model == self.attributes.model:
            return self.attributes
        return replace(self.attributes, model=model)

    def _onward(self, item: policy.Correction) -> str | None:
        return fallback(item.effect, self.attributes.organisation)

    def _leads_on(self, item: policy.Correction, model: str) -> bool:
        return (
            item.mode == "enforce"
            and self._onward(item) is not None
            and not in_grace(item, self.now)
            and self._applies(item, model)
        )

    def _acts(self, item: policy.Correction) -> bool:
        """Tell whether a dry run would have refused or changed this request, as far as its attributes show.

        Limits are counted and content is read elsewhere; both say so themselves.
        """
        if isinstance(
            item.effect, policy.Limiting | policy.InputFilter | policy.OutputFilter | policy.Classifier
        ):
            return False
        return _refuses(item.effect, self.attributes) is not False

    def _bites(self, item: policy.Correction) -> bool:
        """Tell whether an enforced correction refuses this request, or will when its grace ends."""
        if isinstance(item.effect, policy.Shutdown) and self._onward(item) is not None:
            return False
        return _refuses(item.effect, self.attributes) is True

    def _refusing(self) -> policy.Correction | None:
        found = [item for item in self.enforced if self._bites(item) and not in_grace(item, self.now)]
        return min([*found, *([self.journey.circle] if self.journey.circle else [])], key=rank, default=None)

    def _warnings(self) -> Iterator[Warned]:
        for item in sorted(self.enforced, key=rank):
            if item.grace_until is not None and in_grace(item, self.now) and self._bites(item):
                yield Warned(correction=item.id, since=item.grace_until)

    def _allowed(self, common: Verdict) -> Verdict:
        caps = [item.effect.max_tokens for item in self.enforced if isinstance(item.effect, policy.OutputCap)]
        filters = [item for item in self.met if isinstance(item.effect, policy.Filtering)]
        models = self.journey.models
        return replace(
            common,
            limits=self._limits(),
            filters=tuple(sorted(filters, key=rank)),
            max_tokens=min(caps, default=None),
            reroute_to=models[-1] if len(models) > 1 else None,
            by_filter=bool(caps or filters or len(models) > 1 or self._unread()),
        )

    def _unread(self) -> bool:
        """Tell whether a correction asks for turns that nobody has counted yet."""
        asked = {type(item.effect) for item in self.met}
        return (policy.TurnLimit in asked and self.attributes.turns is None) or (
            policy.LoopCap in asked and self.attributes.tool_turns is None
        )

    def _limits(self) -> tuple[Limit, ...]:
        limits = [
            _limit(item, self.attributes) for item in self.met if isinstance(item.effect, policy.Limiting)
        ]
        return tuple(sorted(limits, key=_smallest_first))


def _refuses(effect: policy.Effect, attributes: Attributes) -> bool | None:
    """Tell whether a matching effect refuses by the attributes; None: it changes, and never refuses."""
    match effect:
        case policy.Block() | policy.Allow() | policy.ForbidUse():
            return True
        case policy.Suspend() | policy.MarketRemoval() | policy.Halt() | policy.Decommission():
            return True
        case policy.RequireUse(use_cases=accepted):
            return not attributes.use_case or bool(accepted and attributes.use_case not in accepted)
    return _refuses_capability(effect, attributes)


def _refuses_capability(effect: policy.Effect, attributes: Attributes) -> bool | None:
    match effect:
        case policy.ToolsOff():
            return offers(effect, attributes.tools)
        case policy.FeatureOff(features=off):
            return any(name in off for name in attributes.features)
        case policy.InputCap(max_bytes=most):
            return attributes.body_bytes > most
        case policy.TurnLimit(turns=most):
            return attributes.turns is not None and attributes.turns > most
        case policy.LoopCap(turns=most):
            return attributes.tool_turns is not None and attributes.tool_turns > most
    return None


def _limit(item: policy.Correction, attributes: Attributes) -> Limit:
    effect = item.effect
    assert isinstance(effect, policy.Limiting)  # noqa: S101 - the caller chose
    tokens = isinstance(effect, policy.TokenLimit)
    return Limit(
        correction=item.id,
        kind=str(effect.__struct_config__.tag),
        amount=effect.tokens if isinstance(effect, policy.TokenLimit) else effect.requests,
        window_seconds=0 if isinstance(effect, policy.ConcurrencyLimit) else effect.window_seconds,
        per=effect.per,
        subject="all" if effect.per == "all" else getattr(attributes, effect.per),
        metric=effect.metric if tokens else "requests",  # type: ignore[union-attr]
        shadow=item.mode == "shadow",
    )


def _smallest_first(limit: Limit) -> tuple[str, float, str]:
    return limit.kind, limit.amount / (limit.window_seconds or 1), limit.correction
