"""What the page of one incident shows beside its panels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from django.urls import reverse

from incidents import gates, policies
from incidents.states import FORWARD, STAGES, State

if TYPE_CHECKING:
    from datetime import datetime

    from incidents.gates import Condition
    from incidents.models import Incident, SkippedCondition
    from incidents.moves import Move
    from irapp.accounts.models import User


@dataclass(frozen=True)
class Stage:
    """A stage as the track draws it."""

    label: str
    status: str


@dataclass(frozen=True)
class Button:
    """A move somebody may want to make; ``why_not`` is empty where they may."""

    name: str
    label: str
    target: str
    url: str
    why_not: str


@dataclass(frozen=True)
class Skip:
    """What one person left unmet for one reason."""

    by: str
    at: datetime
    reason: str
    conditions: list[SkippedCondition]


@dataclass(frozen=True)
class NextStep:
    """The way on: what it asks for, what is missing, who may go."""

    button: Button | None
    conditions: list[Condition]
    emergency: Button | None
    others: list[Button]
    skipped: list[Skip]

    @property
    def met(self) -> int:
        """How many are met."""
        return len(self.conditions) - len(self.missing)

    @property
    def missing(self) -> list[Condition]:
        """What is not met yet."""
        return [condition for condition in self.conditions if not condition.met]


def stages(incident: Incident) -> list[Stage]:
    """Draw the four stages and the end; a dismissed incident has none before it."""
    names = [*STAGES, State.CLOSED]
    place = names.index(incident.state) if incident.state in names else -1
    ended = incident.state == State.CLOSED
    return [
        Stage(state.label, "done" if i < place or ended else "current" if i == place else "ahead")
        for i, state in enumerate(names)
    ]


def next_step(incident: Incident, user: User) -> NextStep:
    """Say how this incident goes on, for this reader."""
    moves = incident.moves
    onward = moves.get(FORWARD.get(State(incident.state), ""))
    urgent = moves.get("declare_emergency") if not incident.is_emergency else None
    named = {"declare_emergency", onward.name if onward else ""}
    return NextStep(
        button=_button(incident, onward, user) if onward else None,
        conditions=_conditions(incident, onward, user) if onward else [],
        emergency=_button(incident, urgent, user) if urgent else None,
        others=[_button(incident, move, user) for name, move in moves.items() if name not in named],
        skipped=_skips(incident),
    )


def _conditions(incident: Incident, move: Move, user: User) -> list[Condition]:
    """Give what the move asks for; the way to meet it only to those who may go it."""
    asked = gates.read(incident, move.name)
    if policies.why_not(policies.check_can_write, incident, user):
        return [replace(condition, url="") for condition in asked]
    return asked


def _skips(incident: Incident) -> list[Skip]:
    """Group what was skipped by the decision that skipped it."""
    every = incident.skipped.select_related("by", "made_up_by").order_by("pk")
    found: list[Skip] = []
    for (by, reason), group in groupby(every, key=lambda one: (str(one.by), one.reason)):
        conditions = list(group)
        found.append(Skip(by, conditions[0].at, reason, conditions))
    return found


def _button(incident: Incident, move: Move, user: User) -> Button:
    return Button(
        name=move.name,
        label=move.terms.label,
        target=move.target.label,
        url=reverse("incidents:move", args=[incident.pk, move.name]),
        why_not=policies.why_not(policies.check_can_move, incident, move.name, user),
    )
