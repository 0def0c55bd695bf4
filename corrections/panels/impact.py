"""The estimate of an impact, from the selector or as kept with a proposal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corrections.panels.phrases import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OUTCOMES = {
    "refused": "refused",
    "rerouted": "answered by another model",
    "limited": "counted by the limit",
    "capped": "with a shorter answer, at most",
    "read": "read by the filter",
    "spared": "served again",
    "kept": "refused already, and still so",
}


@dataclass(frozen=True)
class ImpactPanel:
    """What the page prints about an impact."""

    requests: int
    touched: int
    share: str
    outcomes: list[tuple[str, str]]
    beyond: str
    users: int
    keys: int
    organisation_count: int
    organisations: list[dict[str, Any]]
    without_fallback: list[str]
    overlaps: list[dict[str, Any]]
    hints: list[str]


def impact_panel(data: Mapping[str, Any]) -> ImpactPanel:
    """Read the estimate off its data; what was kept before an estimate knew more says less."""
    names = ("requests", "touched", "users", "keys", "organisation_count")
    lists = ("organisations", "without_fallback", "hints")
    values = {name: data[name] for name in (*names, *lists)}
    return ImpactPanel(
        share=percent(data["share"]),
        outcomes=list(_outcomes(data.get("outcomes") or {})),
        beyond=_beyond(data.get("exceeding")) if data["touched"] else "",
        overlaps=list(data.get("overlaps") or ()),
        **values,
    )


def percent(share: float) -> str:
    """Give ``12 %``; a little of something is never shown as nothing."""
    hundred = share * 100
    if 0 < hundred < 1:
        return "less than 1 %"
    return f"{hundred:.0f} %"


def _outcomes(counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Give what would become of the requests, unless it is the same for all and plain from the sentence."""
    return ((number(counts[name]), words) for name, words in OUTCOMES.items() if counts.get(name))


def _beyond(exceeding: Mapping[str, int] | None) -> str:
    """Say what a limit would have refused; nothing where that cannot be known."""
    if exceeding is None:
        return ""
    requests, tokens = exceeding["requests"], exceeding["tokens"]
    if not requests and not tokens:
        return "Nothing of it was beyond the limit."
    of_tokens = f" ({number(tokens)} tokens too many)" if tokens else ""
    return f"About {number(requests)} of them were beyond the limit{of_tokens}."
