"""What gateways and clocks finish by themselves. The caller holds the lock on the correction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrections.actions.base import close, move
from corrections.actions.executing import begin_lifting
from corrections.models import Correction
from corrections.publishing.compile import publish
from corrections.states import IN_POLICY, ProposalState
from irapp.audit.record import hint, record

if TYPE_CHECKING:
    from datetime import datetime


def activate(correction: Correction, *, now: datetime) -> None:
    """Every gateway has shown it in force; whatever version it replaces is over."""
    correction.active_at = correction.active_at or now
    correction.failure = correction.drift = ""
    correction.drifted_at = None
    move(correction, "activate")
    record("correction.activated", correction, by=None, policy=correction.policy_version)
    older = Correction.objects.filter(
        reference=correction.reference, version__lt=correction.version, state__in=IN_POLICY
    )
    for each in older.select_for_update(of=("self",), no_key=True).order_by("pk"):
        supersede(each, by_version=correction, now=now)
    _tell(correction)


def supersede(correction: Correction, *, by_version: Correction, now: datetime) -> None:
    """Its newer version is in force: it is history, and so is whatever was asked about it."""
    _overtake(correction, because=f"{by_version} is in force in its place.", now=now)
    move(correction, "supersede")
    record("correction.superseded", correction, by=None, by_version=str(by_version))


def fail(correction: Correction, *, because: str, now: datetime) -> None:
    """The time to execute is over. It stays wanted; what it was to replace is wanted again too."""
    correction.failure = because
    move(correction, "fail")
    record("correction.failed", correction, by=None, because=because)
    publish(by=None, now=now)
    _tell(correction)


def finish_lifting(correction: Correction, *, now: datetime) -> None:
    """Every gateway has shown it gone."""
    correction.lifted_at = now
    move(correction, "finish_lifting")
    record("correction.lifted", correction, by=None, policy=correction.policy_version)
    _tell(correction)


def drifted(correction: Correction, *, because: str, now: datetime) -> None:
    """A gateway no longer shows what it had shown. Said once, until it is right again."""
    correction.drifted_at, correction.drift = now, because
    correction.save()
    record("correction.drifted", correction, by=None, because=because)
    _tell(correction)


def recovered(correction: Correction, *, now: datetime) -> None:
    """Every gateway shows it again."""
    since, correction.drifted_at, correction.drift = correction.drifted_at, None, ""
    correction.save()
    lasted = (now - since).total_seconds() if since else 0
    record("correction.recovered", correction, by=None, lasted_seconds=round(lasted))
    _tell(correction)


def alarm_overdue(correction: Correction, *, because: str, now: datetime) -> None:
    """Service should be back, and a gateway has not shown it. Said once."""
    correction.alarmed_at = now
    correction.save()
    record("correction.lift_overdue", correction, by=None, because=because)
    _tell(correction)


def expire(correction: Correction, *, now: datetime) -> None:
    """Its time is over: lift it where the decision says so, else hold it and say so once."""
    if correction.at_expiry == "lift":
        _overtake(correction, because="It expired.", now=now)
        record("correction.expired", correction, by=None, at_expiry="lift")
        begin_lifting(correction, because="It expired.", by=None, now=now)
    elif correction.alarmed_at is None:
        correction.alarmed_at = now
        correction.save()
        record("correction.held", correction, by=None, at_expiry="hold")
        _tell(correction)


def _overtake(correction: Correction, *, because: str, now: datetime) -> None:
    for proposal in correction.proposals.open().select_for_update(of=("self",)):
        proposal.correction = correction
        close(proposal, ProposalState.WITHDRAWN, because=because, now=now, by=None)


def _tell(correction: Correction) -> None:
    hint("gateways", f"correction:{correction.pk}", "inbox")
