"""Carrying out what was decided: the new policy stands in the same transaction as the last vote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from corrections import policies
from corrections.actions.base import locked, move
from corrections.authority import execute_within, imposed_by
from corrections.publishing.compile import publish
from corrections.states import Action
from irapp.audit.record import hint, record

if TYPE_CHECKING:
    from datetime import datetime

    from corrections.models import Correction, Proposal
    from irapp.accounts.models import User


def execute(proposal: Proposal, *, by: User, now: datetime) -> None:
    """Do what the approved proposal asks for; the caller holds the locks."""
    if proposal.action == Action.IMPOSE:
        _impose(proposal, by=by, now=now)
    elif proposal.action == Action.LIFT:
        begin_lifting(proposal.correction, because=proposal.reason, by=by, now=now, proposal=proposal)
    else:
        _make_permanent(proposal, by=by, now=now)


def begin_lifting(
    correction: Correction, *, because: str, by: User | None, now: datetime, proposal: Proposal | None = None
) -> None:
    """Take it out of the policy; it is lifted when the gateways have shown so."""
    decision = proposal or imposed_by(correction)
    correction.execute_by = now + execute_within(decision) if decision else None
    correction.alarmed_at = correction.drifted_at = None
    correction.drift = ""
    move(correction, "begin_lifting")
    record("correction.lifting", correction, by=by, because=because)
    _carry(correction, by=by, now=now)


@transaction.atomic
def retry(*, correction_id: int, by: User) -> Correction:
    """Try again to get a failed correction shown in force, with a new deadline."""
    now = timezone.now()
    correction = locked(correction_id)
    policies.check_can_retry(correction, by)
    decision = imposed_by(correction)
    correction.execute_by = now + execute_within(decision) if decision else None
    correction.failure = ""
    move(correction, "retry")
    record("correction.retried", correction, by=by)
    _carry(correction, by=by, now=now)
    return correction


def _impose(proposal: Proposal, *, by: User, now: datetime) -> None:
    correction = proposal.correction
    correction.approved_at, correction.approval_digest = now, proposal.digest
    move(correction, "approve")
    record("correction.approved", correction, by=by, digest=proposal.digest)
    correction.execute_by = max(now, correction.starts_at or now) + execute_within(proposal)
    move(correction, "enforce")
    record("correction.enforcing", correction, by=by, execute_by=correction.execute_by.isoformat())
    _carry(correction, by=by, now=now)


def _make_permanent(proposal: Proposal, *, by: User, now: datetime) -> None:
    correction = proposal.correction
    correction.approval_digest, correction.alarmed_at = proposal.digest, None
    move(correction, "make_permanent")
    record("correction.made_permanent", correction, by=by, digest=proposal.digest)
    _carry(correction, by=by, now=now)


def _carry(correction: Correction, *, by: User | None, now: datetime) -> None:
    """Publish, and remember from which policy on the gateways have to agree."""
    correction.policy_version = publish(by=by, now=now).version
    correction.save()
    hint("gateways", f"correction:{correction.pk}", "inbox")
