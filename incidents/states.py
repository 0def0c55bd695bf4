"""The stages of an incident, and the picture of its moves made from the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from collections.abc import Iterator


class State(models.TextChoices):
    """Where an incident stands."""

    PREPARATION = "PREPARATION", "Preparation"
    MONITORING = "MONITORING", "Monitoring"
    EXECUTION = "EXECUTION", "Execution"
    POST_INCIDENT = "POST_INCIDENT", "Post-incident"
    CLOSED = "CLOSED", "Closed"
    DISMISSED = "DISMISSED", "Dismissed"


class Severity(models.TextChoices):
    """How bad it is; an incident without one has still to be judged."""

    CRITICAL = "CRITICAL", "Critical"
    HIGH = "HIGH", "High"
    MODERATE = "MODERATE", "Moderate"
    LOW = "LOW", "Low"


STAGES: tuple[State, ...] = (State.PREPARATION, State.MONITORING, State.EXECUTION, State.POST_INCIDENT)
OPEN = STAGES
ENDED: tuple[State, ...] = (State.CLOSED, State.DISMISSED)

FORWARD: dict[State, str] = {
    State.PREPARATION: "begin_monitoring",
    State.MONITORING: "begin_execution",
    State.EXECUTION: "begin_post_incident",
    State.POST_INCIDENT: "close",
}
"""The move that leads on from each stage."""


def passed_over(source: str, target: str) -> tuple[str, ...]:
    """Give the forward moves that a jump from ``source`` to ``target`` leaves out.

    An incident that had ended is looked at from the first stage on: what it met then still counts.
    """
    names = [stage.value for stage in STAGES]
    start = names.index(source) if source in names else 0
    return tuple(FORWARD[stage] for stage in STAGES[start : names.index(target)])


def mermaid(model: type[models.Model], field: str = "state") -> str:
    """Draw the state machine of a model as a Mermaid diagram, from its declared transitions."""
    return "\n".join(["stateDiagram-v2", *(f"    {line}" for line in sorted(_arrows(model, field)))])


def _arrows(model: type[models.Model], field: str) -> Iterator[str]:
    state = model._meta.get_field(field)  # noqa: SLF001 (public by Django's documentation)
    yield f"[*] --> {state.get_default()}"  # type: ignore[union-attr]
    for move in state.get_all_transitions(model):  # type: ignore[union-attr]
        yield f"{move.source} --> {move.target}: {move.name}"
