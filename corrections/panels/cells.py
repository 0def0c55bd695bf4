"""One cell of the picture: a word, a tone and a shape, the same on every page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corrections.selectors.truth import CorrectionTruth, GatewayTruth

BASIS = {
    "global": "counted across gateways",
    "gateway": "counted at each gateway alone",
    "closed": "cannot be counted: refuses all",
}


@dataclass(frozen=True)
class Cell:
    """What a cell says. ``note`` stands beneath, smaller."""

    text: str
    tone: str
    icon: str
    note: str = ""


@dataclass(frozen=True)
class Step:
    """One of the four steps from a decision to its effect."""

    name: str
    cell: Cell


def well(text: str, note: str = "") -> Cell:
    """As it should be."""
    return Cell(text, "ok", "check", note)


def late(text: str, note: str = "") -> Cell:
    """On its way, or not for long."""
    return Cell(text, "warn", "hourglass", note)


def wrong(text: str, note: str = "") -> Cell:
    """Not as it should be."""
    return Cell(text, "danger", "cross", note)


def unknown(text: str, note: str = "") -> Cell:
    """Nobody can say."""
    return Cell(text, "neutral", "dashed", note)


def share(have: int, of: int, note: str = "", *, underway: bool = False) -> Cell:
    """So many of so many; what is still underway is late, not wrong."""
    if not of:
        return unknown("none yet", note)
    text = f"{have} of {of}"
    if have >= of:
        return well(text, note)
    return late(text, note) if underway else wrong(text, note)


def count(number: int, what: str) -> str:
    """Say how many, one or several."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def probes(right: int, asked: int) -> str:
    """How the probes came out."""
    return f"{right} of {asked} probes right" if asked else "no probes yet"


def limits(basis: Mapping[str, int]) -> list[str]:
    """How limits are counted, and at how many gateways."""
    if len(basis) == 1:
        return [BASIS[name] for name in basis]
    return [f"{BASIS[name]} ({count})" for name, count in basis.items()]


def acknowledged(each: GatewayTruth) -> Cell:
    """Which policy a gateway says that it has."""
    if each.acknowledged is None:
        return wrong("none") if each.wanted else unknown("none")
    text = f"policy {each.acknowledged}"
    if each.silent:
        return unknown(text, "when last heard")
    return well(text) if each.acknowledged == each.wanted else wrong(text)


def observed(each: GatewayTruth) -> Cell:
    """What its proxy runs, and how its probes came out."""
    if each.gateway.unobserved:
        return unknown("not observable", "it only acknowledges")
    note = probes(each.probes_ok, each.probes) if each.probes else ""
    if each.silent:
        return unknown("not known", "nothing is heard of it")
    if not each.gateway.live:
        return wrong("does not answer", note)
    text = f"runs policy {each.observed}" if each.observed is not None else "answers"
    if each.probes_ok < each.probes:
        return wrong(f"{each.probes - each.probes_ok} probes wrong", text)
    runs = each.observed if each.observed is not None else each.acknowledged
    fine = runs == each.wanted and not each.gateway.rejected
    return well(text, note) if fine else wrong(text, note)


def correction_observed(each: CorrectionTruth, *, underway: bool) -> Cell:
    """At how many gateways it was seen to be as it should be."""
    note = probes(each.probes_ok, each.probes)
    seen = each.gateways - each.unobserved
    if each.gateways and not seen:
        return unknown("not observable", "gateways only acknowledge")
    return share(each.observed, seen, note, underway=underway)
