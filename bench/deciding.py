"""Decisions for measurements, made by the real actions of the demo's people."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from django.utils import timezone

from corrections import actions
from corrections.models import Correction, Package, Proposal
from corrections.terms import Terms
from incidents import actions as incidents
from irapp.accounts.models import User

if TYPE_CHECKING:
    from collections.abc import Callable


def person(name: str) -> User:
    """Give one of the demo's people."""
    return User.objects.get(username=name)


@cache
def package() -> Package:
    """Give a package of an incident in execution."""
    commander = person("connor")
    incident = incidents.open_incident(
        title="Measurement", summary="", severity="LOW", model_name="aurora-small", by=commander
    )
    incidents.move(
        incident_id=incident.pk,
        move="declare_emergency",
        by=commander,
        reason="A measurement of the way to the gateways.",
    )
    return actions.open_package(incident_id=incident.pk, title="Measurement", by=commander)


def block(key_id: str, number: int) -> tuple[int, Callable[[], tuple[float, int]]]:
    """Propose to block a key; give the correction and what approves it.

    Approving gives the moment of the commit and the version of the policy that carries the decision.
    """
    now = timezone.now()
    terms = Terms(
        kind="block",
        users={"keys": [key_id]},
        review_at=now + timedelta(hours=1),
        expires_at=now + timedelta(hours=2),
        exit_criteria="The measurement is over.",
        public_reason=f"Measurement {number}.",
    )
    commander = person("connor")
    correction = actions.draft_correction(package_id=package().pk, terms=terms, by=commander)
    proposal = actions.propose(correction_id=correction.pk, by=commander)

    def decide() -> tuple[float, int]:
        approve(proposal)
        committed = time.time()
        return committed, Correction.objects.get(pk=correction.pk).policy_version or 0

    return correction.pk, decide


def lift(correction_id: int) -> None:
    """Decide to lift."""
    approve(actions.propose_lift(correction_id=correction_id, reason="Measured.", by=person("connor")))


def approve(proposal: Proposal) -> None:
    """Let as many people approve as it takes."""
    for name in ["dora", "edgar"][: proposal.authority["quorum"]]:
        actions.vote(
            proposal_id=proposal.pk,
            verdict="APPROVE",
            reason="Measured.",
            digest=proposal.digest,
            by=person(name),
        )


def state(correction_id: int) -> str:
    """Give the state as it is now."""
    return str(Correction.objects.values_list("state", flat=True).get(pk=correction_id))
