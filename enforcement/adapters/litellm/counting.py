"""Request limits, counted in this process alone. A bucket per limit and subject, filled by the clock."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from enforcement import policy
from enforcement.decide import Limit

MOST = 100_000
"""Buckets that are kept; those asked for longest ago are forgotten first, and are full again."""


class Counter:
    """How much each subject may still ask."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(
        self, limits: list[tuple[Limit, policy.RequestLimit]], *, at: float, hits: int = 1
    ) -> Limit | None:
        """Count a request for all its limits, or for none of them: then give the first that is used up.

        :param at: seconds of a clock that never goes back.
        """
        with self._lock:
            left = [self._left(limit, effect, at) for limit, effect in limits]
            for (limit, _), tokens in zip(limits, left, strict=True):
                if tokens < hits and not limit.shadow:
                    return limit
            for (limit, _), tokens in zip(limits, left, strict=True):
                self._put(limit, max(tokens - hits, 0.0), at)
        return None

    def _left(self, limit: Limit, effect: policy.RequestLimit, at: float) -> float:
        most = float(effect.burst or effect.requests)
        tokens, since = self._buckets.get((limit.correction, limit.subject), (most, at))
        return min(most, tokens + (at - since) * effect.requests / effect.window_seconds)

    def _put(self, limit: Limit, tokens: float, at: float) -> None:
        key = limit.correction, limit.subject
        self._buckets[key] = tokens, at
        self._buckets.move_to_end(key)
        while len(self._buckets) > MOST:
            self._buckets.popitem(last=False)
