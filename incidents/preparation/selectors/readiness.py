"""How ready each model is for an incident (P-11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from incidents.preparation.models import DeployedModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from incidents.preparation.models import Threat

FRESH = timedelta(days=180)
"""A fallback that was not tried for half a year is a hope."""


@dataclass(frozen=True)
class Check:
    """One thing that makes a model ready."""

    label: str
    met: bool
    detail: str = ""


@dataclass(frozen=True)
class Readiness:
    """A model and its checks."""

    model: DeployedModel
    checks: list[Check]

    @property
    def missing(self) -> list[Check]:
        """What it lacks."""
        return [check for check in self.checks if not check.met]

    @property
    def met(self) -> int:
        """How many checks it passes."""
        return len(self.checks) - len(self.missing)


def readiness(*, today: date) -> list[Readiness]:
    """Look at every model in use: one query each for models, threats, plans and fallbacks."""
    models = DeployedModel.objects.current().select_related("owner")
    models = models.prefetch_related("threats__plans", "fallbacks")
    return [Readiness(model, list(_checks(model, today))) for model in models]


def _checks(model: DeployedModel, today: date) -> Iterator[Check]:
    yield Check("Owner named", model.owner is not None, str(model.owner or ""))
    fresh = model.review_on is not None and model.review_on >= today
    yield Check("Review not overdue", fresh, f"{model.review_on}" if model.review_on else "No date set.")
    threats = [threat for threat in model.threats.all() if threat.retired_at is None]
    yield Check("Threats described", bool(threats), f"{len(threats)}")
    bare = [threat.title for threat in threats if not _planned(threat)]
    yield Check("A plan against every threat", bool(threats) and not bare, ", ".join(bare))
    yield from _fallback_checks(model, today)


def _planned(threat: Threat) -> bool:
    return any(plan.retired_at is None for plan in threat.plans.all())


def _fallback_checks(model: DeployedModel, today: date) -> Iterator[Check]:
    if not model.fallback_needed:
        yield Check("Fallback", met=True, detail=f"Not needed: {model.fallback_reason}")
        return
    fallbacks = [fallback for fallback in model.fallbacks.all() if fallback.retired_at is None]
    yield Check("Fallback named", bool(fallbacks), ", ".join(fallback.title for fallback in fallbacks))
    tried = [fallback.tested_on for fallback in fallbacks if fallback.tested_on]
    yield Check(
        "Fallback tried within half a year",
        bool(tried) and max(tried) >= today - FRESH,
        f"Last on {max(tried)}" if tried else "Never.",
    )
