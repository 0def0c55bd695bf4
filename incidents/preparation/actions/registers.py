"""Adding to the registers and changing them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from incidents.actions import words
from incidents.preparation import policies
from incidents.preparation.actions.writing import locked_entry, store
from incidents.preparation.models import DeployedModel, Fallback, Plan, PlanVersion, Threat
from irapp.audit.record import record

if TYPE_CHECKING:
    from incidents.preparation.contents import FallbackContent, ModelContent, PlanContent, ThreatContent
    from incidents.preparation.models import Entry
    from irapp.accounts.models import User


@transaction.atomic
def add_model(*, content: ModelContent, by: User) -> DeployedModel:
    """Register a model under the name the gateways use."""
    return store(DeployedModel(), content, by=by)


@transaction.atomic
def edit_model(*, model_id: int, revision: int, content: ModelContent, by: User) -> DeployedModel:
    """Change a model's entry, unless somebody else did since ``revision``."""
    return store(locked_entry(DeployedModel, model_id, revision), content, by=by)


@transaction.atomic
def add_threat(*, content: ThreatContent, by: User) -> Threat:
    """Describe a threat."""
    return store(Threat(), content, by=by)


@transaction.atomic
def edit_threat(*, threat_id: int, revision: int, content: ThreatContent, by: User) -> Threat:
    """Change a threat, unless somebody else did since ``revision``."""
    return store(locked_entry(Threat, threat_id, revision), content, by=by)


@transaction.atomic
def add_fallback(*, content: FallbackContent, by: User) -> Fallback:
    """Say what replaces a model while it is restricted."""
    return store(Fallback(), content, by=by)


@transaction.atomic
def edit_fallback(*, fallback_id: int, revision: int, content: FallbackContent, by: User) -> Fallback:
    """Change a fallback, unless somebody else did since ``revision``."""
    return store(locked_entry(Fallback, fallback_id, revision), content, by=by)


@transaction.atomic
def add_plan(*, content: PlanContent, by: User) -> Plan:
    """Write a plan; its steps are version 1."""
    plan = store(Plan(), content, by=by)
    _publish(plan, content, by=by)
    return plan


@transaction.atomic
def edit_plan(*, plan_id: int, revision: int, content: PlanContent, by: User) -> Plan:
    """Change a plan; other steps make a new version, incidents keep the one they are bound to."""
    plan = store(locked_entry(Plan, plan_id, revision), content, by=by)
    _publish(plan, content, by=by)
    return plan


@transaction.atomic
def retire(*, kind: type[Entry], entry_id: int, reason: str, by: User) -> Entry:
    """Take an entry out of use; incidents that are bound to it keep it."""
    entry = locked_entry(kind, entry_id)
    policies.check_can_prepare(by)
    policies.check_is_current(entry)
    entry.retired_at, entry.retired_reason = timezone.now(), words(reason, "reason", most=2000)
    entry.revision += 1
    entry.save()
    record(f"{entry.noun}.retired", entry, by=by, reason=entry.retired_reason)
    return entry


def _publish(plan: Plan, content: PlanContent, *, by: User) -> None:
    steps = [asdict(step) for step in content.steps]
    latest = plan.versions.first()
    if latest is not None and latest.steps == steps:
        return
    plan.version += 1
    plan.save()
    version = PlanVersion.objects.create(plan=plan, number=plan.version, steps=steps, published_by=by)
    record("plan.published", plan, by=by, version=version.number, steps=steps)
