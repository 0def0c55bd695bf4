"""What the clock does: undecided proposals lapse, corrections expire, later starts take over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from django.db import DatabaseError, transaction

from corrections.actions.base import close, held, locked_proposal, move
from corrections.actions.settling import expire
from corrections.models import Correction, Proposal
from corrections.publishing.compile import publish
from corrections.states import IN_POLICY, Action, ProposalState, State
from irapp.audit.record import record
from irapp.common.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

log = structlog.get_logger(__name__)


def tick(*, now: datetime) -> None:
    """Do everything that is due; each in its own transaction, so that one cannot hold up the others."""
    for proposal in Proposal.objects.overdue(now=now).values_list("pk", flat=True):
        _alone(_lapse, proposal, now=now)
    for correction in Correction.objects.past_expiry(now=now).values_list("pk", flat=True):
        _alone(_expire, correction, now=now)
    with transaction.atomic():
        publish(by=None, now=now)


def _alone(do: Callable[..., None], pk: int, *, now: datetime) -> None:
    """Do one of them; what it meets is said, and the next second tries again."""
    try:
        do(pk, now=now)
    except (DatabaseError, DomainError) as error:
        log.warning("not_done_by_the_clock", what=do.__name__.strip("_"), pk=pk, error=str(error))


@transaction.atomic
def _lapse(proposal_id: int, *, now: datetime) -> None:
    proposal = locked_proposal(proposal_id)
    if not proposal.is_open or proposal.decide_by > now:
        return
    close(proposal, ProposalState.LAPSED, because="Nobody decided in time.", now=now, by=None)
    if proposal.action == Action.IMPOSE:
        move(proposal.correction, "expire")
        record("correction.expired_undecided", proposal.correction, by=None, proposal=proposal.pk)


@transaction.atomic
def _expire(correction_id: int, *, now: datetime) -> None:
    correction = held(correction_id)
    due = correction.expires_at is not None and correction.expires_at <= now
    if due and correction.state in IN_POLICY - {State.PERMANENT}:
        expire(correction, now=now)
