"""The estimate of an impact, from the selector or as kept with a proposal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ImpactPanel:
    """What the page prints about an impact."""

    requests: int
    touched: int
    share: str
    users: int
    keys: int
    organisation_count: int
    organisations: list[dict[str, Any]]
    without_fallback: list[str]
    hints: list[str]


def impact_panel(data: Mapping[str, Any]) -> ImpactPanel:
    """Read the estimate off its data."""
    names = ("requests", "touched", "users", "keys", "organisation_count")
    lists = ("organisations", "without_fallback", "hints")
    values = {name: data[name] for name in (*names, *lists)}
    return ImpactPanel(share=percent(data["share"]), **values)


def percent(share: float) -> str:
    """Give ``12 %``; a little of something is never shown as nothing."""
    hundred = share * 100
    if 0 < hundred < 1:
        return "less than 1 %"
    return f"{hundred:.0f} %"
