"""The standing preparation, and what one incident is bound to of it."""

from incidents.preparation.models.binding import Binding
from incidents.preparation.models.registers import DeployedModel, Entry, Fallback, Plan, PlanVersion, Threat

__all__ = ["Binding", "DeployedModel", "Entry", "Fallback", "Plan", "PlanVersion", "Threat"]
