"""The checklist of preparation on the incident page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from incidents import gates, panels
from incidents.policies import why_not
from incidents.preparation import policies
from incidents.preparation.items import ITEMS

if TYPE_CHECKING:
    from incidents.gates import Condition
    from incidents.models import Incident
    from incidents.preparation.items import Choose, Say
    from irapp.accounts.models import User


@dataclass(frozen=True)
class Row:
    """A condition, with the form that meets it where this reader may and it is missing."""

    condition: Condition
    form: Choose | Say | None
    can_change: bool


@dataclass(frozen=True)
class Checklist:
    """The panel."""

    rows: list[Row]

    @property
    def missing(self) -> int:
        """How many are unmet."""
        return sum(not row.condition.met for row in self.rows)


def checklist(incident: Incident, user: User, *, filled: Choose | Say | None = None) -> Checklist:
    """Fill the panel; ``filled`` is a form that came back with errors."""
    may = not why_not(policies.check_can_bind, incident, user)
    asked = [one for one in gates.read(incident, "begin_monitoring") if one.code in ITEMS]
    return Checklist([_row(incident, condition, may=may, filled=filled) for condition in asked])


def _row(incident: Incident, condition: Condition, *, may: bool, filled: Choose | Say | None) -> Row:
    if filled is not None and filled.prefix == condition.code:
        return Row(condition, filled, can_change=may)
    form = ITEMS[condition.code].bound(incident) if may and not condition.met else None
    return Row(condition, form, can_change=may)


def register() -> None:
    """Put the checklist onto the incident page."""
    panels.register("preparation", "preparation/panel.html", 10, checklist)
