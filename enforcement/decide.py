"""What the policy says about one request: the reference that every rendering is tested against.

Pure: no clock, no files, no Envoy. Precedence: shutdown, access, use case, capability (their union), then
limits (the smallest first). Between corrections of one rank the lowest id speaks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from enforcement import policy

REFUSALS: dict[type, tuple[int, int, str]] = {
    policy.Suspend: (0, 503, "model_suspended"),
    policy.Reroute: (1, 503, "model_suspended"),
    policy.Block: (2, 403, "access_restricted"),
    policy.ForbidUse: (3, 403, "use_case_restricted"),
    policy.ToolsOff: (4, 403, "tools_restricted"),
    policy.OutputCap: (5, 403, "output_restricted"),
    policy.RequestLimit: (6, 429, "rate_limited"),
}
"""Rank, status and code of every kind. A reroute refuses only when it leads back to where it came from."""


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """What a gateway knows about a request. No content."""

    user: str
    organisation: str
    key: str
    application: str
    use_case: str
    endpoint: str
    model: str
    tools: tuple[str, ...] = ()
    stream: bool = False
    max_tokens: int | None = None


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A request limit that counts this request, and for whom."""

    correction: str
    requests: int
    window_seconds: int
    per: str
    subject: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What happens to the request. ``correction`` is the one that refuses it."""

    action: str
    status: int
    code: str
    correction: str | None = None
    matched: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    max_tokens: int | None = None
    reroute_to: str | None = None
    shadow: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Journey:
    """The models that a request meets, the reroutes between them, and the one that leads in a circle."""

    models: tuple[str, ...]
    circle: policy.Correction | None = None


def decide(attributes: Attributes, content: policy.Content, *, now: datetime) -> Verdict:
    """Say what the corrections in force do to a request."""
    live = [item for item in content.corrections if in_force(item, now)]
    journey = _journey(attributes, [item for item in live if item.mode == "enforce"])
    met = [item for item in live if any(_meets(item, attributes, journey))]
    matched = [item for item in met if item.mode == "enforce"]
    shadow = tuple(item.id for item in met if item.mode == "shadow" and _bites(item, attributes))
    refusing = _refusing(matched, attributes, journey)
    seen = tuple(item.id for item in matched)
    if refusing is None:
        return _allowed(matched, attributes, journey, seen, shadow)
    _, status, code = REFUSALS[type(refusing.effect)]
    return Verdict(
        action="refuse",
        status=status,
        code=code,
        correction=refusing.id,
        matched=seen,
        shadow=shadow,
    )


def matches(correction: policy.Correction, attributes: Attributes) -> bool:
    """Tell whether a request lies in both scopes: and across the dimensions, or within each."""
    scope = correction.functionality
    return (
        _names(scope.models, attributes.model)
        and _names(scope.endpoints, attributes.endpoint)
        and _names(scope.applications, attributes.application)
        and _names(scope.use_cases, attributes.use_case)
        and _reaches(correction.users, attributes)
        and bucket(attributes.user) < correction.percentage
    )


def in_force(correction: policy.Correction, now: datetime) -> bool:
    """Tell whether a correction binds now. At its expiry it holds unless its decision says lift."""
    if correction.starts_at is not None and now < correction.starts_at:
        return False
    return lifts_at(correction) is None or now < lifts_at(correction)  # type: ignore[operator]


def lifts_at(correction: policy.Correction) -> datetime | None:
    """Give the moment at which a correction ends by itself, if it ever does."""
    return correction.expires_at if correction.at_expiry == "lift" else None


def bucket(user: str) -> int:
    """Give a user's place between 0 and 99: the same at every gateway and in every staged roll-out."""
    return int.from_bytes(hashlib.sha256(user.encode()).digest()[:8]) % 100


def rank(correction: policy.Correction) -> tuple[int, str]:
    """Order corrections by precedence, then by id."""
    return REFUSALS[type(correction.effect)][0], correction.id


def offers(effect: policy.ToolsOff, tools: Iterable[str]) -> bool:
    """Tell whether a request offers a tool that is switched off."""
    return any(not effect.tools or name in effect.tools for name in tools)


def _names(listed: tuple[str, ...], value: str) -> bool:
    return not listed or value in listed


def _reaches(users: policy.Users, attributes: Attributes) -> bool:
    return (
        users.everyone
        or attributes.user in users.users
        or attributes.organisation in users.organisations
        or attributes.key in users.keys
    )


def _meets(correction: policy.Correction, attributes: Attributes, journey: _Journey) -> Iterator[bool]:
    for model in journey.models:
        yield matches(correction, replace(attributes, model=model))


def _journey(attributes: Attributes, live: list[policy.Correction]) -> _Journey:
    """Follow reroutes, so that what is restricted for the answering model binds too."""
    models = [attributes.model]
    while True:
        here = replace(attributes, model=models[-1])
        step = next((item for item in live if _reroutes(item) and matches(item, here)), None)
        if step is None:
            return _Journey(tuple(models))
        fallback: str = step.effect.fallback_model  # type: ignore[union-attr]
        if fallback in models:
            return _Journey(tuple(models), step)
        models.append(fallback)


def _reroutes(correction: policy.Correction) -> bool:
    return isinstance(correction.effect, policy.Reroute)


def _bites(correction: policy.Correction, attributes: Attributes) -> bool:
    """Tell whether a matching correction does anything: a tools switch needs a tool."""
    effect = correction.effect
    return not isinstance(effect, policy.ToolsOff) or offers(effect, attributes.tools)


def _refusing(
    matched: list[policy.Correction], attributes: Attributes, journey: _Journey
) -> policy.Correction | None:
    kinds = policy.Suspend | policy.Block | policy.ForbidUse | policy.ToolsOff
    found = [item for item in matched if isinstance(item.effect, kinds) and _bites(item, attributes)]
    return min([*found, *([journey.circle] if journey.circle else [])], key=rank, default=None)


def _allowed(
    matched: list[policy.Correction],
    attributes: Attributes,
    journey: _Journey,
    seen: tuple[str, ...],
    shadow: tuple[str, ...],
) -> Verdict:
    caps = [item.effect.max_tokens for item in matched if isinstance(item.effect, policy.OutputCap)]
    return Verdict(
        action="allow",
        status=200,
        code="",
        matched=seen,
        limits=_limits(matched, attributes),
        max_tokens=min(caps, default=None),
        reroute_to=journey.models[-1] if len(journey.models) > 1 else None,
        shadow=shadow,
    )


def _limits(matched: list[policy.Correction], attributes: Attributes) -> tuple[Limit, ...]:
    limits = [
        Limit(
            correction=item.id,
            requests=item.effect.requests,
            window_seconds=item.effect.window_seconds,
            per=item.effect.per,
            subject=getattr(attributes, item.effect.per),
        )
        for item in matched
        if isinstance(item.effect, policy.RequestLimit)
    ]
    return tuple(sorted(limits, key=lambda one: (one.requests / one.window_seconds, one.correction)))
