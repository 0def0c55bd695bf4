"""What must be met before an incident moves on; each floor registers its own conditions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from incidents.models import Incident

    Gate = Callable[[Incident], Iterable["Condition"]]


@dataclass(frozen=True)
class Condition:
    """One thing a move asks for.

    :param code: stable and unique within its move; skipped conditions are found again by it.
    :param label: what is asked for, as the page prints it.
    :param detail: what is missing, or what meets it.
    :param url: where it can be met.
    :param waivable: whether a commander may go on without it, with a reason.
    """

    code: str
    label: str
    met: bool
    detail: str = ""
    url: str = ""
    waivable: bool = True


_gates: dict[str, list[Gate]] = defaultdict(list)


def register(move: str, gate: Gate) -> None:
    """Let ``gate`` say what ``move`` asks for; called from ``AppConfig.ready``."""
    if gate not in _gates[move]:
        _gates[move].append(gate)


def conditions(incident: Incident, move: str) -> list[Condition]:
    """Ask everybody who registered; met and unmet, in the order of registration."""
    return [condition for gate in _gates[move] for condition in gate(incident)]


def read(incident: Incident, move: str) -> list[Condition]:
    """Ask once per loaded incident: for pages, whose parts show the same conditions. Never before a move."""
    answers: dict[str, list[Condition]] = incident.__dict__.setdefault("_conditions_read", {})
    if move not in answers:
        answers[move] = conditions(incident, move)
    return answers[move]


def unmet(incident: Incident, move: str) -> list[Condition]:
    """Give what is still missing for the move."""
    return [condition for condition in conditions(incident, move) if not condition.met]
