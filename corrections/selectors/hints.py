"""What an estimate cannot say by numbers: how it could be narrower, what it misses, what is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrections.selectors.replay import by_name, total
from enforcement import policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corrections.selectors.replay import Hit

UNKNOWN = (
    (
        policy.InputFilter | policy.OutputFilter | policy.Classifier,
        "Texts are never kept: these are all that would be read. A dry run counts how many match.",
    ),
    (
        policy.TurnLimit | policy.LoopCap,
        "How long conversations were is not kept: these are all in the scope. A dry run counts the refusals.",
    ),
    (
        policy.ConcurrencyLimit,
        "How long requests lasted is not kept: these are all that would be counted.",
    ),
)


def hints(correction: policy.Correction, hits: list[Hit], requests: int) -> Iterator[str]:
    """Give what a decider should read beside the numbers."""
    changed = [hit for hit in hits if hit.outcome != "kept"]
    touched, kept = total(changed, *OUTCOMES), total(hits, "kept")
    if not requests:
        yield "No request was seen in the last 24 hours: this estimate says nothing."
    elif not touched and not kept:
        yield "No request of the last 24 hours would have been touched: check the names in the scopes."
    if kept:
        yield f"{kept} more are refused already, and stay refused."
    yield from _narrower(correction, changed, touched)
    if isinstance(correction.effect, policy.Suspend) and total(hits, "refused"):
        yield "A reroute to a fallback model would restrict the same requests and still answer them."
    if isinstance(correction.effect, policy.Block):
        yield "A block reaches known subjects only; where proper use can do harm, restrict capability or use."
    if touched:
        yield from (text for kinds, text in UNKNOWN if isinstance(correction.effect, kinds))


def _narrower(correction: policy.Correction, hits: list[Hit], touched: int) -> Iterator[str]:
    if not correction.functionality.models:
        yield from _dimension(hits, touched, "model")
    if correction.users.everyone:
        yield from _dimension(hits, touched, "organisation")
    elif correction.users.organisations and not correction.users.keys:
        yield from _dimension(hits, touched, "key")


def _dimension(hits: list[Hit], touched: int, name: str) -> Iterator[str]:
    """Say so where one value stands for most of it: naming it would spare the rest."""
    counts = by_name(hits, name)
    if len(counts) < 2:  # noqa: PLR2004 - with one value there is nothing to spare
        return
    value, count = counts.most_common(1)[0]
    if count >= touched / 2:
        yield (
            f"The {name} {value} makes {count / touched:.0%} of it; naming it would spare "
            f"{len(counts) - 1} other{'s' if len(counts) > 2 else ''}."  # noqa: PLR2004
        )


OUTCOMES = ("refused", "rerouted", "limited", "capped", "read", "spared")
