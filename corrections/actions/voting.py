"""Deciding: each vote is bound to a digest, each person has one, the last one carries out the decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from corrections import policies
from corrections.actions import executing
from corrections.actions.base import close, locked_proposal, move
from corrections.models import Proposal, Vote
from corrections.selectors.decisions import standing
from corrections.states import Action, ProposalState, Verdict
from corrections.validation import text
from irapp.accounts.models import User
from irapp.audit.record import hint, record
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Ballot:
    """What became of a vote.

    :param repeated: the same vote had been cast before; nothing changed.
    """

    proposal: Proposal
    vote: Vote
    repeated: bool


@transaction.atomic
def vote(*, proposal_id: int, verdict: str, reason: str, digest: str, by: User) -> Ballot:
    """Say yes or no to exactly the bytes with this digest; the vote that completes the quorum executes them.

    :raises ConflictError: ``digest_mismatch``, ``already_voted``, ``already_decided``, ``lapsed``.
    :raises NotPermittedError: ``own_proposal``, ``wrong_role``.
    """
    if verdict not in Verdict:
        raise InvalidError("Approve or reject.", field="verdict", code="unknown_verdict")
    proposal = locked_proposal(proposal_id)
    by = User.objects.get(pk=by.pk)  # the role as it is now, not as it was when the page was asked for
    earlier = proposal.votes.filter(user__person=by.person).first()
    if earlier is not None:
        return _again(proposal, earlier, verdict=Verdict(verdict), digest=digest)
    now = timezone.now()
    policies.check_can_vote(proposal, by, verdict=Verdict(verdict), digest=digest, now=now)
    cast = Vote.objects.create(
        proposal=proposal,
        user=by,
        person=by.person,
        verdict=verdict,
        reason=text(reason, field="reason", required=True, most=4000),
        digest=digest,
        at=now,
    )
    record("proposal.voted", proposal, by=by, verdict=str(cast.verdict), digest=digest, reason=cast.reason)
    hint("inbox", f"correction:{proposal.correction_id}")
    _conclude(proposal, cast, now=now)
    return Ballot(proposal, cast, repeated=False)


def _again(proposal: Proposal, earlier: Vote, *, verdict: Verdict, digest: str) -> Ballot:
    """A second click changes nothing; a second opinion is refused."""
    if earlier.verdict == verdict and earlier.digest == digest:
        return Ballot(proposal, earlier, repeated=True)
    raise ConflictError(
        f"You have voted already: {earlier.get_verdict_display().lower()}.", code="already_voted"
    )


def _conclude(proposal: Proposal, cast: Vote, *, now: datetime) -> None:
    if cast.verdict == Verdict.REJECT:
        _reject(proposal, cast, now=now)
    elif standing(proposal).met:
        close(proposal, ProposalState.APPROVED, because="Enough people agreed.", now=now, by=cast.user)
        executing.execute(proposal, by=cast.user, now=now)


def _reject(proposal: Proposal, cast: Vote, *, now: datetime) -> None:
    """One person who may decide and says no is enough."""
    close(proposal, ProposalState.REJECTED, because=cast.reason, now=now, by=cast.user)
    if proposal.action == Action.IMPOSE:
        move(proposal.correction, "reject")
        record("correction.rejected", proposal.correction, by=cast.user, reason=cast.reason)
