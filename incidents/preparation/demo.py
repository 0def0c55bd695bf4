"""Preparation of the demo: two models, threats, plans, fallbacks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from incidents.preparation import actions
from incidents.preparation.contents import FallbackContent, ModelContent, PlanContent, Step, ThreatContent
from incidents.preparation.models import DeployedModel

if TYPE_CHECKING:
    from datetime import date

    from incidents.preparation.models import Plan
    from irapp.accounts.models import User

LARGE, SMALL = "aurora-large", "aurora-small"

CONTAIN_ACCOUNTS = (
    Step(title="Preserve the logs of the accounts before anything is cut", minutes=30),
    Step(title="List the accounts, keys and organisations involved", minutes=60),
    Step(title="Propose T1 for them, with an appeal route", minutes=90),
    Step(title="Propose T3 where proper accounts could do the same harm", minutes=240),
    Step(title="Tell the organisations that were attacked", detail="They are not customers.", minutes=1440),
)
CONTAIN_DRIFT = (
    Step(title="Reproduce the output on both models", minutes=60),
    Step(title="Estimate how many sessions are affected", minutes=120),
    Step(title="Propose a cap (T2) as the interim correction", minutes=180),
    Step(title="Decide on patch or reroute (T3) as the full correction", minutes=1440),
    Step(title="Publish a note for users", minutes=2880),
)
STOP_OUTPUT = (
    Step(title="Name the surface and the change that came before", minutes=15),
    Step(title="Propose suspension (T5) of that surface alone", minutes=30),
    Step(title="Find and revert the change", detail="Prompts are changes like any other.", minutes=120),
    Step(title="Publish the cause, and what is still contested", minutes=5760),
)


def seed(people: dict[str, User]) -> None:
    """Fill the registers, unless they are filled."""
    if DeployedModel.objects.filter(name=LARGE).exists():
        return
    connor, today = people["connor"], timezone.now().date()
    large, small = _models(connor, people["adam"], today)
    _fallbacks(large, small, connor, today)
    _threats(large, small, connor, today)


def _models(connor: User, adam: User, today: date) -> tuple[DeployedModel, DeployedModel]:
    review = today + timedelta(days=60)
    large = ModelContent(
        name=LARGE,
        title="Aurora Large, general assistant",
        description="Chat, tools and agents, through our API and our own application.",
        owner_id=connor.pk,
        review_on=review,
    )
    small = ModelContent(
        name=SMALL,
        title="Aurora Small, fallback without tools",
        description="No browsing, no code execution. Serves when Aurora Large is restricted.",
        owner_id=adam.pk,
        review_on=review,
        fallback_needed=False,
        fallback_reason="It is itself the fallback; customers were told to keep a manual process.",
    )
    return actions.add_model(content=large, by=connor), actions.add_model(content=small, by=connor)


def _fallbacks(large: DeployedModel, small: DeployedModel, connor: User, today: date) -> None:
    to_small = FallbackContent(
        model_id=large.pk,
        title="Answer with Aurora Small",
        audience="Customers of the API",
        other_model_id=small.pk,
        recovery_minutes=1,
        tested_on=today - timedelta(days=21),
        owner_id=connor.pk,
    )
    by_hand = FallbackContent(
        model_id=large.pk,
        title="Clinicians decide without the assistant",
        audience="initech-clinic",
        manual_process="The ward uses its printed triage sheet; the on-call physician is told by telephone.",
        recovery_minutes=15,
        tested_on=today - timedelta(days=200),
        owner_id=connor.pk,
    )
    actions.add_fallback(content=to_small, by=connor)
    actions.add_fallback(content=by_hand, by=connor)


def _threats(large: DeployedModel, small: DeployedModel, connor: User, today: date) -> None:
    accounts = _plan("Contain misuse by accounts", CONTAIN_ACCOUNTS, connor, today)
    drift = _plan("Contain behaviour that drifts", CONTAIN_DRIFT, connor, today)
    output = _plan("Stop harmful output on one surface", STOP_OUTPUT, connor, today)
    extortion = ThreatContent(
        title="Data extortion run through a coding agent",
        severity="CRITICAL",
        actor="A criminal group with several paid accounts",
        capability="Tool use at machine speed: reconnaissance, theft and sorting of data, ransom notes",
        pathway="API keys of an agent product; many short sessions",
        assets="Organisations outside our customers",
        evidence="Public reports of 2025 name 17 organisations.",
        model_ids=(large.pk,),
        plan_ids=(accounts.pk,),
        owner_id=connor.pk,
        review_on=today + timedelta(days=30),
    )
    tone = ThreatContent(
        title="Long sessions drift off tone",
        severity="MODERATE",
        actor="Ordinary users in long conversations",
        capability="Loss of the system prompt's weight after many turns",
        pathway="Chat with more than 50 messages, about 1 % of chats",
        assets="Users in distress; trust",
        model_ids=(large.pk, small.pk),
        plan_ids=(drift.pk,),
        owner_id=connor.pk,
        review_on=today + timedelta(days=90),
    )
    hate = ThreatContent(
        title="Hateful output after a change of prompt",
        severity="HIGH",
        actor="Our own release",
        capability="Public posting",
        pathway="A line added to a system prompt without review",
        assets="The people it is aimed at; the public",
        model_ids=(large.pk,),
        plan_ids=(output.pk,),
        owner_id=connor.pk,
    )
    for threat in (extortion, tone, hate):
        actions.add_threat(content=threat, by=connor)


def _plan(title: str, steps: tuple[Step, ...], connor: User, today: date) -> Plan:
    review = today + timedelta(days=90)
    content = PlanContent(title=title, steps=steps, owner_id=connor.pk, review_on=review)
    return actions.add_plan(content=content, by=connor)
