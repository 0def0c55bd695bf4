"""The registers by their place in the address: model, form, actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incidents.preparation import actions, forms
from incidents.preparation.models import DeployedModel, Fallback, Plan, Threat

if TYPE_CHECKING:
    from collections.abc import Callable

    from incidents.preparation.models import Entry


@dataclass(frozen=True)
class Register:
    """One register, for the pages that all registers share."""

    kind: str
    title: str
    model: type[Entry]
    form: type[forms.EntryForm]
    add: Callable[..., Entry]
    edit: Callable[..., Entry]
    empty: str

    @property
    def noun(self) -> str:
        """What one entry is called."""
        return self.model.noun

    def save(self, *, entry_id: int | None, revision: int | None, content: Any, by: Any) -> Entry:
        """Add the entry, or change the one there is."""
        if entry_id is None:
            return self.add(content=content, by=by)
        return self.edit(**{f"{self.noun}_id": entry_id}, revision=revision, content=content, by=by)


REGISTERS = {
    register.kind: register
    for register in (
        Register(
            "threats",
            "Threats",
            Threat,
            forms.Threat,
            actions.add_threat,
            actions.edit_threat,
            "Who could do what with which model, and what would be hurt.",
        ),
        Register(
            "plans",
            "Plans",
            Plan,
            forms.PlanForm,
            actions.add_plan,
            actions.edit_plan,
            "Steps to take, ready before they are needed. Bound to an incident, they become its tasks.",
        ),
        Register(
            "fallbacks",
            "Fallbacks",
            Fallback,
            forms.Fallback,
            actions.add_fallback,
            actions.edit_fallback,
            "What those who depend on a model use while it is restricted.",
        ),
        Register(
            "models",
            "Models",
            DeployedModel,
            forms.Model,
            actions.add_model,
            actions.edit_model,
            "Every model that people use, by the name the gateways know it under.",
        ),
    )
}
