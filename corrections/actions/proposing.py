"""Putting a question before those who may decide, and taking it back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from corrections import authors, policies, registers
from corrections.actions.base import close, locked, locked_proposal, move
from corrections.authority import freeze
from corrections.models import Did, Proposal
from corrections.selectors.impact import impact
from corrections.selectors.payload import digest, payload
from corrections.states import Action, ProposalState
from corrections.terms import Terms
from corrections.validation import check, spec, text
from irapp.audit.record import hint, record

if TYPE_CHECKING:
    from datetime import datetime

    from corrections.models import Correction
    from irapp.accounts.models import User


@transaction.atomic
def propose(*, correction_id: int, by: User, reason: str = "") -> Proposal:
    """Ask for a draft to be imposed, by exactly these terms."""
    now = timezone.now()
    correction = locked(correction_id)
    policies.check_can_propose(correction, by, now=now)
    terms = check(Terms.of(correction), now=now)
    registers.check(terms, by=by, reference=correction.reference)
    move(correction, "propose")
    authors.keep(correction, Did.PROPOSED, by=by)
    proposal = _ask(correction, Action.IMPOSE, reason=reason, by=by, now=now)
    record("correction.proposed", correction, by=by, proposal=proposal.pk, digest=proposal.digest)
    return proposal


@transaction.atomic
def propose_lift(*, correction_id: int, reason: str, by: User) -> Proposal:
    """Ask for a correction in force to be lifted."""
    correction = locked(correction_id)
    policies.check_can_propose_lift(correction, by)
    text(reason, field="reason", required=True)
    return _ask(correction, Action.LIFT, reason=reason, by=by, now=timezone.now())


@transaction.atomic
def propose_permanent(*, correction_id: int, reason: str, by: User) -> Proposal:
    """Ask for a correction in force to stay without expiry."""
    correction = locked(correction_id)
    policies.check_can_propose_permanent(correction, by)
    text(reason, field="reason", required=True)
    return _ask(correction, Action.MAKE_PERMANENT, reason=reason, by=by, now=timezone.now())


@transaction.atomic
def withdraw(*, proposal_id: int, by: User, reason: str = "") -> Proposal:
    """Take back a question that is not decided yet."""
    proposal = locked_proposal(proposal_id)
    policies.check_can_withdraw(proposal, by)
    because = text(reason, field="reason") or "Withdrawn."
    close(proposal, ProposalState.WITHDRAWN, because=because, now=timezone.now(), by=by)
    if proposal.action == Action.IMPOSE:
        move(proposal.correction, "withdraw")
        record("correction.withdrawn", proposal.correction, by=by)
    return proposal


def _ask(correction: Correction, action: Action, *, reason: str, by: User, now: datetime) -> Proposal:
    authority = freeze(correction, action)
    asked = payload(correction, action, reason=text(reason, field="reason"))
    said = spec(Terms.of(correction), policy_id=correction.policy_id)
    estimate = impact(said, now=now, action=action)
    proposal = Proposal.objects.create(
        correction=correction,
        action=action,
        payload=asked,
        digest=digest(asked),
        authority=authority,
        barred=authors.barred(correction, action, by=by),
        impact=estimate.as_data(),
        reason=reason.strip(),
        proposer=by,
        proposed_at=now,
        decide_by=now + timedelta(seconds=authority["decide_within_seconds"]),
    )
    record(
        "proposal.opened",
        proposal,
        by=by,
        action=str(action),
        digest=proposal.digest,
        authority=dict(authority),
    )
    hint("inbox", f"correction:{correction.pk}")
    return proposal
