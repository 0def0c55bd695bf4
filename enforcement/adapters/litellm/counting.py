"""Limits of requests and tokens: counted together with all gateways, in Redis, or by this process alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from enforcement import policy
from enforcement.decide import Limit
from enforcement.ratelimit.commands import Outcome, Take
from enforcement.ratelimit.limiter import Limiter
from enforcement.ratelimit.rules import parse_rule, rule_of
from enforcement.ratelimit.shared import Shared

if TYPE_CHECKING:
    from enforcement.ratelimit.config import Settings
    from enforcement.report import Basis

Countable: TypeAlias = policy.RequestLimit | policy.TokenLimit
Limited: TypeAlias = tuple[Limit, Countable]
MOST_HITS = 1_000_000_000


class Taken(NamedTuple):
    """What became of a request: the limit that refuses it, and the dry runs that would have."""

    used_up: Limit | None = None
    dry: tuple[str, ...] = ()


class Counting:
    """How much each subject may still ask. It begins with the first request, in whose loop it runs."""

    def __init__(self, settings: Settings | None = None) -> None:
        url = settings.redis if settings else ""
        self._prefix = settings.prefix if settings else ""
        self._shared = (
            Shared(url, timeout=settings.timeout, life=settings.life, prefix=self._prefix)
            if settings and url
            else None
        )
        life, longest = (settings.life, settings.longest) if settings else (1.0, 1.0)
        self._limiter = Limiter(self._shared, life=life, longest=longest)
        self._keeping: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[None] | None = None

    @property
    def alone(self) -> bool:
        """Whether it knows of no counters but its own."""
        return self._shared is None

    @property
    def basis(self) -> Basis:
        """What is counted by at the moment."""
        return self._limiter.basis

    async def begin(self) -> None:
        """Connect, and forget what is past from now on."""
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._limiter.keep())
            if self._shared is not None:
                self._starting = asyncio.create_task(self._shared.start())  # though the first caller hang up
                await asyncio.shield(self._starting)

    async def take(self, limits: Sequence[Limited]) -> Taken:
        """Count a request for all its limits, or for none of them if one refuses it.

        Tokens are only asked for: what a request takes is known when it has been answered.
        """
        acting = [each for each in limits if not each[0].shadow]
        if len(limits) > 1:
            for each in acting:
                if not (await self._ask(*each, hits=0)).allowed:
                    return Taken(each[0])
        for each in acting:
            if not (await self._ask(*each, hits=_hits(each))).allowed:
                return Taken(each[0])
        dry = [each for each in limits if each[0].shadow]
        over = [each[0].correction for each in dry if not (await self._ask(*each, hits=_hits(each))).allowed]
        return Taken(dry=tuple(over))

    async def spend(self, limit: Limit, effect: Countable, hits: int) -> None:
        """Count what has been used, be it too much."""
        if hits:
            await self._ask(limit, effect, hits=min(hits, MOST_HITS), force=True)

    async def _ask(self, limit: Limit, effect: Countable, *, hits: int, force: bool = False) -> Outcome:
        """Ask under the very name that gateways with Envoy use."""
        rule = parse_rule(rule_of(effect))
        return await self._limiter.run(
            Take(
                key=f"{self._prefix}:{rule.kind}:{limit.correction}:{{{limit.subject}}}",
                amount=rule.amount,
                window_ms=rule.window_ms,
                burst=rule.burst,
                hits=hits,
                force=force,
            )
        )


def _hits(limited: Limited) -> int:
    return 0 if isinstance(limited[1], policy.TokenLimit) else 1
