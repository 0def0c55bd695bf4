"""What the core itself asks for at each move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from incidents import gates
from incidents.gates import Condition
from incidents.models import Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from incidents.models import Incident


def someone_in_charge(incident: Incident) -> Iterator[Condition]:
    """Monitoring begins with somebody in command and a judgement of how bad it is."""
    severity = incident.get_severity_display() if incident.severity else ""
    detail, url = severity or "Nobody has set a severity.", reverse("incidents:edit", args=[incident.pk])
    yield Condition("severity", "Severity judged", bool(severity), detail, url)
    commander = str(incident.commander or "")
    detail = commander or "Nobody is in command."
    yield Condition("commander", "Commander assigned", bool(commander), detail, _at(incident, "people"))


def assessment_written(incident: Incident) -> Iterator[Condition]:
    """Corrections touch people: somebody has written down what is known before they are decided."""
    written = incident.notes.filter(kind=Note.Kind.ASSESSMENT).count()
    detail = (
        f"{written} on the record."
        if written
        else "Write a note of the kind “assessment”: what is known, and how surely."
    )
    yield Condition(
        "assessment", "Evidence assessed in writing", bool(written), detail, _at(incident, "write")
    )


def nothing_left_open(incident: Incident) -> Iterator[Condition]:
    """Closing is for what is finished."""
    tasks = incident.tasks.open().count()
    detail = f"{tasks} still open." if tasks else "All finished."
    yield Condition("tasks", "Tasks finished", not tasks, detail, _at(incident, "tasks"), waivable=False)
    owed = outstanding(incident)
    detail = "; ".join(owed) if owed else "Nothing is owed."
    yield Condition(
        "skipped", "Skipped conditions made up", not owed, detail, _at(incident, "skipped"), waivable=False
    )


def outstanding(incident: Incident) -> list[str]:
    """Give the labels of the skipped conditions that are still unmet."""
    owed = [skip for skip in incident.skipped.all() if skip.made_up_at is None]
    met = {
        (move, condition.code)
        for move in {skip.move for skip in owed}
        for condition in gates.conditions(incident, move)
        if condition.met
    }
    return [skip.label for skip in owed if (skip.move, skip.code) not in met]


def register() -> None:
    """Register the core's conditions."""
    gates.register("begin_monitoring", someone_in_charge)
    gates.register("begin_execution", assessment_written)
    gates.register("close", nothing_left_open)


def _at(incident: Incident, anchor: str) -> str:
    return f"{reverse('incidents:detail', args=[incident.pk])}#{anchor}"
