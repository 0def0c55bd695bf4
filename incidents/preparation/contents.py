"""What a person enters for an entry of a register; forms and API both make these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, kw_only=True)
class Owned:
    """What every entry carries."""

    owner_id: int | None = None
    review_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class ModelContent(Owned):
    """A deployed model."""

    name: str
    title: str
    access: str = "API"
    description: str = ""
    fallback_needed: bool = True
    fallback_reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ThreatContent(Owned):
    """A threat, the models it concerns and the plans against it."""

    title: str
    severity: str = ""
    actor: str = ""
    capability: str = ""
    pathway: str = ""
    assets: str = ""
    evidence: str = ""
    model_ids: tuple[int, ...] = ()
    plan_ids: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a plan; ``minutes`` counts from the moment the plan is bound."""

    title: str
    detail: str = ""
    minutes: int | None = None


@dataclass(frozen=True, kw_only=True)
class PlanContent(Owned):
    """A plan and its steps in order."""

    title: str
    purpose: str = ""
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FallbackContent(Owned):
    """What replaces a model while it is restricted."""

    model_id: int
    title: str
    audience: str = ""
    other_model_id: int | None = None
    manual_process: str = ""
    recovery_minutes: int | None = None
    tested_on: date | None = None
