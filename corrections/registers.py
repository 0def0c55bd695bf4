"""What preparation knows about models and fallbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enforcement import policy
from incidents.preparation.models import DeployedModel, Fallback
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corrections.terms import Terms


def check_models(terms: Terms) -> None:
    """Refuse a model that is not registered, or that nobody upstream controls.

    Where no model is registered at all there is nothing to check against.
    """
    register = {model.name: model for model in DeployedModel.objects.current()}
    if not register:
        return
    for field, name in _named(terms):
        if name not in register:
            raise InvalidError(
                f"{name} is not a registered model. Registered are {', '.join(sorted(register))}.",
                field=field,
                code="unknown_model",
            )
        if not register[name].can_be_restricted:
            raise InvalidError(
                f"Access to {name} cannot be restricted: its weights are open.",
                field=field,
                code="open_weights",
            )


def fallbacks(correction: policy.Correction, organisations: Iterable[str]) -> dict[str, str]:
    """Give what each organisation falls back to, where something is registered for it or for everybody."""
    registered = Fallback.objects.current().select_related("other_model", "model")
    if correction.functionality.models:
        registered = registered.filter(model__name__in=correction.functionality.models)
    by_audience = {fallback.audience.strip().lower(): _leads_to(fallback) for fallback in registered}
    general = _rerouted(correction) or by_audience.get("", "")
    found = {name: by_audience.get(name.lower(), general) for name in organisations}
    return {name: to for name, to in found.items() if to}


def _named(terms: Terms) -> Iterable[tuple[str, str]]:
    models = terms.functionality.get("models", ())
    if isinstance(models, list | tuple):
        yield from (("functionality.models", str(name)) for name in models)
    if "fallback_model" in terms.parameters:
        yield "parameters.fallback_model", str(terms.parameters["fallback_model"])


def _rerouted(correction: policy.Correction) -> str:
    effect = correction.effect
    return effect.fallback_model if isinstance(effect, policy.Reroute) else ""


def _leads_to(fallback: Fallback) -> str:
    return fallback.other_model.name if fallback.other_model else fallback.title
