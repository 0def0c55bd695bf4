"""What preparation asks for before monitoring begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from incidents import gates
from incidents.gates import Condition
from incidents.preparation.models import Binding, DeployedModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from incidents.models import Incident


def bound(incident: Incident) -> Iterator[Condition]:
    """The affected model is known, and a threat, a plan, a fallback and an authority are bound."""
    url = f"{reverse('incidents:detail', args=[incident.pk])}#preparation"
    related = Binding.objects.select_related("threat", "fallback", "authority_by")
    binding = related.filter(incident=incident).first() or Binding(incident=incident)
    model = DeployedModel.objects.filter(name=incident.model_name).first() if incident.model_name else None
    yield _model(incident, model, url)
    threat = str(binding.threat or "")
    yield Condition("threat", "Threat bound", bool(threat), threat or "Which threat is this?", url)
    yield _plan(binding, url)
    yield _fallback(binding, model, url)
    known = f"{binding.authority}, confirmed by {binding.authority_by}" if binding.authority else ""
    yield Condition(
        "authority",
        "Authority known",
        bool(known),
        known or "Who decides on restrictions, and can they be reached?",
        url,
    )


def _model(incident: Incident, model: DeployedModel | None, url: str) -> Condition:
    if model is None:
        missing = (
            f"“{incident.model_name}” is not in the register." if incident.model_name else "None is named."
        )
        return Condition("model", "Affected model registered", met=False, detail=missing, url=url)
    known = str(model) if model.can_be_restricted else f"{model}: open weights, access cannot be restricted"
    return Condition("model", "Affected model registered", met=True, detail=known, url=url)


def _plan(binding: Binding, url: str) -> Condition:
    copy = binding.plan_copy
    detail = f"{copy['title']}, version {copy['version']}" if copy else "Its steps become tasks."
    return Condition("plan", "Plan bound", bool(copy), detail, url)


def _fallback(binding: Binding, model: DeployedModel | None, url: str) -> Condition:
    considered = str(binding.fallback or binding.fallback_note)
    if not considered and model is not None and not model.fallback_needed:
        considered = f"Not needed: {model.fallback_reason}"
    detail = considered or "What do people use while the model is restricted?"
    return Condition("fallback", "Fallback considered", bool(considered), detail, url)


def register() -> None:
    """Register what preparation asks for."""
    gates.register("begin_monitoring", bound)
