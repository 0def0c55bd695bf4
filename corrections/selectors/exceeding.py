"""How much of the last day's traffic a limit would have refused."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db.models import F, Sum
from django.db.models.functions import Coalesce, Extract, Floor

from corrections.selectors.replay import KEY
from enforcement import policy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from corrections.models import TrafficRecord
    from corrections.selectors.replay import Hit

TOKENS = {
    "input": Coalesce(F("tokens_in"), 0),
    "output": Coalesce(F("tokens_out"), 0),
    "total": Coalesce(F("tokens_in"), 0) + Coalesce(F("tokens_out"), 0),
}


def exceeding(
    effect: policy.Effect, hits: Iterable[Hit], rows: QuerySet[TrafficRecord]
) -> dict[str, int] | None:
    """Give ``{"requests": …, "tokens": …}`` beyond the limit, in windows that follow the clock.

    None for what is no limit per window: how long requests last is not kept.
    """
    if not isinstance(effect, policy.RequestLimit | policy.TokenLimit):
        return None
    limited = {_key(hit) for hit in hits if hit.outcome == "limited"}
    requests, tokens = _per_window(effect, limited, rows)
    if isinstance(effect, policy.RequestLimit):
        return {"requests": sum(max(0, count - effect.requests) for count in requests.values()), "tokens": 0}
    over = {key: max(0, count - effect.tokens) for key, count in tokens.items()}
    # Requests are refused in the share in which the tokens of a window were too many.
    refused = sum(requests[key] * many // tokens[key] for key, many in over.items() if many)
    return {"requests": refused, "tokens": sum(over.values())}


def _per_window(
    effect: policy.RequestLimit | policy.TokenLimit,
    limited: set[tuple[object, ...]],
    rows: QuerySet[TrafficRecord],
) -> tuple[Counter[Any], Counter[Any]]:
    metric = effect.metric if isinstance(effect, policy.TokenLimit) else "total"
    place = None if effect.per == "all" else KEY.index(effect.per)
    requests, tokens = Counter[Any](), Counter[Any]()
    grouped = (
        rows.annotate(window=Floor(Extract("at", "epoch") / effect.window_seconds))
        .values_list(*KEY, "window")
        .annotate(requests=Sum("weight"), tokens=Sum(TOKENS[metric] * F("weight")))
        .order_by()
    )
    for *names, tools, features, window, count, many in grouped.iterator(chunk_size=5000):
        if (*names, tuple(tools), tuple(features)) in limited:
            key = ("all" if place is None else names[place], window)
            requests[key] += count
            tokens[key] += many
    return requests, tokens


def _key(hit: Hit) -> tuple[object, ...]:
    return tuple(getattr(hit.seen.attributes, name) for name in KEY)
