"""Corrections of the demo: one tried and given back, one refused, one that waits for a decision.

Nothing is imposed at the gateway: what is approved here is lifted in the same breath, and the gateway, once
it runs, shows that it is gone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from corrections import actions
from corrections.models import Package, Proposal
from corrections.states import Verdict
from corrections.terms import Terms
from incidents.models import Incident, State

if TYPE_CHECKING:
    from irapp.accounts.models import User

EXIT = "No new victim for 72 hours, and the accounts' owners have answered."
APPEAL = "https://example.org/appeal"


def seed(people: dict[str, User]) -> None:
    """Fill the first incident that is in execution, unless anything was corrected yet."""
    incident = Incident.objects.filter(state=State.EXECUTION).order_by("pk").first()
    if incident is None or Package.objects.exists():
        return
    package = actions.open_package(
        incident_id=incident.pk,
        title="Contain the accounts behind the extortion",
        rationale="Cut off the accounts that were found; keep everybody else served.",
        by=people["connor"],
    )
    if settings.POLICY_SIGNING_KEY_FILE:  # without a key nothing can be approved
        _given_back(package, people)
    _refused(package, people)
    _waiting(package, people)


def _given_back(package: Package, people: dict[str, User]) -> None:
    """An interim cap: approved by one who may, lifted by the same quorum."""
    terms = _terms(
        kind="request_limit",
        parameters={"requests": 30, "window_seconds": 60, "per": "organisation"},
        users={"organisations": ["globex"]},
        functionality={"models": ["aurora-large"]},
        public_reason="Unusual traffic is being looked into.",
    )
    asked = _propose(package, terms, by=people["rosa"], reason="Slow it down until the accounts are known.")
    _vote(asked, Verdict.APPROVE, "Mild, and easily undone.", by=people["dora"])
    lift = actions.propose_lift(
        correction_id=asked.correction_id,
        reason="The accounts are known now; the cap hits the rest of the organisation.",
        by=people["connor"],
    )
    _vote(lift, Verdict.APPROVE, "Agreed: go for the accounts themselves.", by=people["edgar"])


def _refused(package: Package, people: dict[str, User]) -> None:
    """Too broad: the model as a whole."""
    terms = _terms(
        kind="suspend",
        functionality={"models": ["aurora-large"]},
        narrower_rejected="Feared that more accounts exist than were found.",
        public_reason="The model is suspended while misuse is contained.",
    )
    asked = _propose(package, terms, by=people["rosa"], reason="Stop everything until we know more.")
    reason = "Four accounts do not justify taking the model from every hospital."
    _vote(asked, Verdict.REJECT, reason, by=people["edgar"])


def _waiting(package: Package, people: dict[str, User]) -> None:
    """The narrow one, before the duty officer and the executive."""
    terms = _terms(
        kind="block",
        users={"users": ["carol"], "keys": ["key-carol"]},
        public_reason="This account was used to attack others.",
    )
    _propose(package, terms, by=people["connor"], reason="Identified in the logs, twice over.")


def _terms(**said: object) -> Terms:
    now = timezone.now()
    dates = {"review_at": now + timedelta(hours=24), "expires_at": now + timedelta(hours=72)}
    return Terms(**dates, exit_criteria=EXIT, appeal=APPEAL, **said)  # type: ignore[arg-type]


def _propose(package: Package, terms: Terms, *, reason: str, by: User) -> Proposal:
    draft = actions.draft_correction(package_id=package.pk, terms=terms, by=by)
    return actions.propose(correction_id=draft.pk, reason=reason, by=by)


def _vote(asked: Proposal, verdict: Verdict, reason: str, *, by: User) -> None:
    actions.vote(proposal_id=asked.pk, verdict=verdict, reason=reason, digest=asked.digest, by=by)
