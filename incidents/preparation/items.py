"""What can be completed in place on the incident page: conditions, their fields, the actions behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms

from incidents import actions as core
from incidents.models import IncidentRole
from incidents.preparation import actions
from incidents.preparation.selectors.choices import CHOICES

if TYPE_CHECKING:
    from collections.abc import Callable

    from incidents.models import Incident
    from irapp.accounts.models import User

    Complete = Callable[[Incident, dict[str, Any], User], object]


class Choose(forms.Form):
    """One choice."""

    nobody = "Choose"
    choice = forms.ChoiceField()

    def __init__(self, *args: Any, item: str, label: str, incident: Incident, **named: Any) -> None:
        named["prefix"] = item
        super().__init__(*args, **named)
        field = self.fields["choice"]
        field.label = label
        field.choices = [("", self.nobody), *CHOICES[item](incident)]  # type: ignore[attr-defined]


class ChooseOrSay(Choose):
    """A choice, or why there is none."""

    nobody = "There is none"
    note = forms.CharField(
        label="If there is none: what people do meanwhile", required=False, max_length=2000
    )

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["choice"].required = False


class Say(forms.Form):
    """A line of text."""

    note = forms.CharField(max_length=2000)

    def __init__(self, *args: Any, item: str, label: str, incident: Incident, **named: Any) -> None:
        named["prefix"] = item
        super().__init__(*args, **named)
        self.incident = incident
        self.fields["note"].label = label
        self.fields["note"].widget.attrs["placeholder"] = "Duty officer; executive for a shutdown"


@dataclass(frozen=True)
class Item:
    """A condition that can be completed in place; ``code`` is the condition's."""

    code: str
    label: str
    form: type[Choose | Say]
    complete: Complete

    def bound(self, incident: Incident, data: Any = None) -> Choose | Say:
        """Give the form for an incident, with the choices there are now."""
        return self.form(data, item=self.code, label=self.label, incident=incident)


def _edit(incident: Incident, by: User, **change: Any) -> object:
    return core.edit(incident_id=incident.pk, by=by, **change)


def _command(incident: Incident, data: dict[str, Any], by: User) -> object:
    part = IncidentRole.Part.COMMANDER
    return core.assign(incident_id=incident.pk, user_id=int(data["choice"]), role=part, by=by)


def _threat(incident: Incident, data: dict[str, Any], by: User) -> object:
    return actions.bind_threat(incident_id=incident.pk, threat_id=int(data["choice"]), by=by)


def _plan(incident: Incident, data: dict[str, Any], by: User) -> object:
    return actions.bind_plan(incident_id=incident.pk, plan_id=int(data["choice"]), by=by)


def _fallback(incident: Incident, data: dict[str, Any], by: User) -> object:
    chosen = int(data["choice"]) if data["choice"] else None
    return actions.consider_fallback(incident_id=incident.pk, fallback_id=chosen, note=data["note"], by=by)


ITEMS: dict[str, Item] = {
    item.code: item
    for item in (
        Item("severity", "Severity", Choose, lambda one, data, by: _edit(one, by, severity=data["choice"])),
        Item("commander", "Commander", Choose, _command),
        Item(
            "model", "Affected model", Choose, lambda one, data, by: _edit(one, by, model_name=data["choice"])
        ),
        Item("threat", "Threat", Choose, _threat),
        Item("plan", "Plan", Choose, _plan),
        Item("fallback", "Fallback", ChooseOrSay, _fallback),
        Item(
            "authority",
            "Authority",
            Say,
            lambda one, data, by: actions.confirm_authority(
                incident_id=one.pk, authority=data["note"], by=by
            ),
        ),
    )
}
