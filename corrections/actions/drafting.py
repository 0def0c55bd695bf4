"""Writing down what should be restricted, before anybody is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from corrections import authors, policies, registers
from corrections.actions.base import close, locked, move, next_reference
from corrections.models import Correction, Did, Package
from corrections.stages import STEPS, stepped
from corrections.states import ProposalState, State
from corrections.terms import Terms
from corrections.validation import check, text
from incidents import actions as incidents
from irapp.audit.record import record
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from datetime import datetime

    from irapp.accounts.models import User


@transaction.atomic
def open_package(
    *, incident_id: int, title: str, by: User, rationale: str = "", precaution: bool = False
) -> Package:
    """Begin a set of corrections for an incident."""
    incident = incidents.locked(incident_id)
    policies.check_can_open_package(incident, by)
    package = Package.objects.create(
        incident=incident,
        title=text(title, field="title", required=True, most=200),
        rationale=text(rationale, field="rationale"),
        precaution=precaution,
        opened_by=by,
    )
    record("package.opened", package, by=by, precaution=precaution)
    return package


@transaction.atomic
def draft_correction(*, package_id: int, terms: Terms, by: User) -> Correction:
    """Add a correction to a package."""
    package = Package.objects.select_related("incident").get(pk=package_id)
    policies.check_can_draft(package, by)
    correction: Correction = Correction(package=package, reference=next_reference(), drafted_by=by)
    _write(correction, terms, now=timezone.now())
    record("correction.drafted", correction, by=by, kind=correction.kind)
    return correction


@transaction.atomic
def revise_correction(*, correction_id: int, revision: int, terms: Terms, by: User) -> Correction:
    """Change the terms of what is not approved yet. Votes on the earlier terms are void.

    :param revision: the one the editor started from; another one means somebody else was faster.
    """
    correction = locked(correction_id)
    policies.check_can_revise(correction, by)
    if correction.revision != revision:
        raise ConflictError(
            f"{correction} was changed in the meantime (revision {correction.revision}).",
            code="stale",
            details={"revision": correction.revision},
        )
    now = timezone.now()
    _void_votes(correction, by=by, now=now)
    correction.revision += 1
    correction.drafted_by = by
    _write(correction, terms, now=now)
    record("correction.revised", correction, by=by, revision=correction.revision)
    return correction


@transaction.atomic
def draft_version(*, correction_id: int, by: User, terms: Terms | None = None) -> Correction:
    """Draft the next version of a correction in force: tighter, looser, longer.

    :param terms: without them, the draft begins as a copy.
    """
    base = locked(correction_id)
    policies.check_can_draft_version(base, by)
    newest = Correction.objects.filter(reference=base.reference).order_by("version").last()
    correction: Correction = Correction(
        package=base.package,
        reference=base.reference,
        version=(newest or base).version + 1,
        supersedes=base,
        drafted_by=by,
    )
    if terms is None:
        _copy(base, correction)
    else:
        _write(correction, terms, now=timezone.now())
    record("correction.drafted", correction, by=by, kind=correction.kind, supersedes=str(base))
    return correction


@transaction.atomic
def draft_step(*, correction_id: int, percentage: int, by: User) -> Correction:
    """Draft the next version for another share of users, with everything else as it is (R-2, T-4).

    :raises InvalidError: a time that has passed cannot be carried over; the version is written by hand then.
    """
    now = timezone.now()
    base = locked(correction_id)
    if percentage not in STEPS:
        steps = ", ".join(map(str, STEPS))
        raise InvalidError(f"The steps are {steps} %.", field="percentage", code="unknown_step")
    return draft_version(correction_id=base.pk, by=by, terms=stepped(base, percentage, now=now))


@transaction.atomic
def discard(*, correction_id: int, by: User) -> Correction:
    """Withdraw a draft, or a proposal that lapsed, for good."""
    correction = locked(correction_id)
    policies.check_can_discard(correction, by)
    move(correction, "withdraw")
    record("correction.withdrawn", correction, by=by)
    return correction


def _write(correction: Correction, terms: Terms, *, now: datetime) -> None:
    terms = check(terms, now=now)
    registers.check(terms, by=correction.drafted_by, reference=correction.reference)
    _check_precaution(correction, terms)
    _keep(correction, terms)


def _copy(base: Correction, correction: Correction) -> None:
    """Take over terms as they are: dates that have passed are changed before it is proposed."""
    _keep(correction, Terms.of(base))


def _keep(correction: Correction, terms: Terms) -> None:
    """Whoever wrote on it does not decide on it, whoever saves it last."""
    terms.write_to(correction)
    correction.save()
    authors.keep(correction, Did.WROTE, by=correction.drafted_by)


def _check_precaution(correction: Correction, terms: Terms) -> None:
    if correction.package.precaution and terms.expires_at is None:
        raise InvalidError(
            "A precaution is time-boxed: say when it ends.", field="expires_at", code="required"
        )


def _void_votes(correction: Correction, *, by: User, now: datetime) -> None:
    if correction.state == State.DRAFT:
        return
    for proposal in correction.proposals.open().select_for_update():
        proposal.correction = correction
        close(proposal, ProposalState.WITHDRAWN, because="The correction was edited.", now=now, by=by)
    move(correction, "return_to_draft")
    record("correction.returned_to_draft", correction, by=by)
