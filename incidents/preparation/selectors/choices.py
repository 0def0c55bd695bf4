"""What may be chosen for an incident, the likeliest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incidents.preparation.models import DeployedModel, Fallback, Plan, Threat
from incidents.selectors.people import holding
from incidents.states import Severity
from irapp.accounts.models import RoleCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from incidents.models import Incident

Choice = tuple[str, str]


def severities(_incident: Incident) -> list[Choice]:
    """The four of them."""
    return [(str(code), str(label)) for code, label in Severity.choices]


def models(_incident: Incident) -> list[Choice]:
    """Every model in the register."""
    return [(model.name, f"{model.name} · {model.title}") for model in DeployedModel.objects.current()]


def model_names() -> list[str]:
    """The names in the register, to offer while somebody types."""
    return list(DeployedModel.objects.current().values_list("name", flat=True))


def commanders(_incident: Incident) -> list[Choice]:
    """Everybody who may command."""
    return [(str(person.pk), str(person)) for person in holding(RoleCode.COMMANDER)]


def threats(incident: Incident) -> list[Choice]:
    """Threats in use; those that name the affected model come first."""
    concerned = set(
        Threat.objects.filter(deployed_models__name=incident.model_name).values_list("pk", flat=True)
    )
    return _first(concerned, [(threat.pk, str(threat)) for threat in Threat.objects.current()])


def plans(incident: Incident) -> list[Choice]:
    """Plans in use; those against the bound threat come first."""
    against = set(Plan.objects.filter(threats__bindings__incident=incident).values_list("pk", flat=True))
    return _first(against, [(plan.pk, f"{plan} (version {plan.version})") for plan in Plan.objects.current()])


def fallbacks(incident: Incident) -> list[Choice]:
    """Fallbacks in use; those of the affected model come first."""
    found = Fallback.objects.current().select_related("model")
    fitting = {fallback.pk for fallback in found if fallback.model.name == incident.model_name}
    return _first(fitting, [(fallback.pk, f"{fallback} (for {fallback.model})") for fallback in found])


CHOICES: dict[str, Callable[[Incident], list[Choice]]] = {
    "severity": severities,
    "model": models,
    "commander": commanders,
    "threat": threats,
    "plan": plans,
    "fallback": fallbacks,
}


def _first(keys: set[int], found: list[tuple[int, str]]) -> list[Choice]:
    ordered = sorted(found, key=lambda one: one[0] not in keys)
    return [(str(pk), f"{label} — fits" if pk in keys else label) for pk, label in ordered]
