"""Corrections of the demo: one tried and given back, one refused, some that wait for a decision.

What is imposed here touches none of the demo's callers: a cap on one organisation, which is being restored
step by step, and a cap that is lifted in the same breath, as the gateway shows once it runs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from corrections import actions
from corrections.models import Package, Proposal
from corrections.registers import resolved
from corrections.segments import actions as segments
from corrections.segments import pattern_files
from corrections.segments.actions.importing import Intent
from corrections.segments.models import Mode
from corrections.states import Verdict
from corrections.terms import Terms
from incidents.models import Incident, State

if TYPE_CHECKING:
    from irapp.accounts.models import User

EXIT = "No new victim for 72 hours, and the accounts' owners have answered."
APPEAL = "https://example.org/appeal"
NOTES = (
    "your files have been copied",
    "we have taken your data",
    "pay within 72 hours",
    "the price doubles",
    "do not contact the police",
    "will be published on our site",
    "proof of the stolen files",
)


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
    if settings.POLICY_SIGNING_KEY_FILE:
        _restored(package, people)
    _listened(package, people)
    _listed(package, people)


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


def _restored(package: Package, people: dict[str, User]) -> None:
    """A cap on a reseller whose key had leaked: the first half of its users is to be given back."""
    terms = _terms(
        kind="request_limit",
        parameters={"requests": 20, "window_seconds": 60, "per": "user"},
        users={"organisations": ["hooli"]},
        functionality={"models": ["aurora-large"]},
        public_reason="Requests are limited while a leaked key is replaced.",
    )
    asked = _propose(package, terms, by=people["rosa"], reason="One of its keys was used by the group.")
    _vote(asked, Verdict.APPROVE, "The key is known; the cap buys time.", by=people["dora"])
    half = actions.draft_step(correction_id=asked.correction_id, percentage=50, by=people["connor"])
    actions.propose(
        correction_id=half.pk,
        reason="The key is replaced. Half of the users first; the rest tomorrow if it stays quiet.",
        by=people["connor"],
    )


def _listened(package: Package, people: dict[str, User]) -> None:
    """A filter that only counts how often it would hit, and whom."""
    register = segments.create_pattern_set(
        title="Ransom notes and extortion letters",
        description="From the notes that victims have shown us; names of victims left out.",
        by=people["rosa"],
    )
    read = pattern_files.read("\n".join(NOTES).encode(), name="ransom-notes.txt")
    intent = Intent(mode=Mode.ADD, reason="Notes of the first four victims.")
    segments.import_patterns(pattern_set_id=register.pk, read=read, intent=intent, by=people["rosa"])
    _, parameters = resolved({}, {"patterns": register.reference, "action": "block", "threshold": 2})
    terms = _terms(
        kind="output_filter",
        parameters=parameters,
        functionality={"models": ["aurora-large"], "endpoints": ["chat.completions"]},
        mode="shadow",
        narrower_rejected="New accounts appear as fast as old ones are blocked; a dry run harms nobody.",
        public_reason="The answer was held back because it may help to extort somebody.",
    )
    _propose(package, terms, by=people["rosa"], reason="Count for a day before anything is held back.")


def _listed(package: Package, people: dict[str, User]) -> None:
    """The accounts that partners have found, as a segment: more come in every day."""
    segment = segments.create_segment(
        title="Accounts behind the extortion", of="user", description="Shared by partners.", by=people["rosa"]
    )
    segments.change_subjects(
        segment_id=segment.pk,
        mode=Mode.ADD,
        names=[f"ext-{number:04d}" for number in range(1, 181)],
        reason="The list of the sharing group, first instalment.",
        by=people["rosa"],
    )
    users, _ = resolved({"segments": [segment.reference]}, {})
    terms = _terms(kind="block", users=users, public_reason="This account was used to attack others.")
    actions.draft_correction(package_id=package.pk, terms=terms, by=people["rosa"])


def _terms(**said: object) -> Terms:
    now = timezone.now()
    dates = {"review_at": now + timedelta(hours=24), "expires_at": now + timedelta(hours=72)}
    return Terms(**dates, exit_criteria=EXIT, appeal=APPEAL, **said)  # type: ignore[arg-type]


def _propose(package: Package, terms: Terms, *, reason: str, by: User) -> Proposal:
    draft = actions.draft_correction(package_id=package.pk, terms=terms, by=by)
    return actions.propose(correction_id=draft.pk, reason=reason, by=by)


def _vote(asked: Proposal, verdict: Verdict, reason: str, *, by: User) -> None:
    actions.vote(proposal_id=asked.pk, verdict=verdict, reason=reason, digest=asked.digest, by=by)
