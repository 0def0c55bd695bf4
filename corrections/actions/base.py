"""Locks and moves, the same for every action.

Locks are taken in one order: incident, corrections, proposal, policy. People's actions take the incident
too, so that a gate never counts what another transaction is changing; clocks and gateways only finish what
was decided. Corrections are locked together, by primary key: every version of a reference, because a policy
that no longer carries one version may carry another again, and what an exemption spares from, wherever it
belongs, because whoever decides on the hole decides by what stands behind the wall.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django_fsm import TransitionNotAllowed

from corrections.models import Correction, Proposal
from corrections.registers import spared_names
from incidents import actions as incidents
from irapp.audit.record import hint, record
from irapp.common.errors import ConflictError

if TYPE_CHECKING:
    from datetime import datetime

    from corrections.states import ProposalState
    from irapp.accounts.models import User


def locked(correction_id: int) -> Correction:
    """Fetch a correction, with its incident, that nobody else can change until this transaction ends."""
    of_incident = Correction.objects.filter(pk=correction_id).values_list("package__incident_id", flat=True)
    incidents.locked(of_incident.get())
    return held(correction_id)


def held(correction_id: int) -> Correction:
    """Fetch a correction that nobody else can change until this transaction ends, nor what goes with it."""
    # Not their keys: whoever only writes down what a gateway shows of them need not wait, in whatever order.
    rows = Correction.objects.select_for_update(of=("self",), no_key=True).select_related("package__incident")
    together = rows.filter(reference__in=_references(correction_id)).order_by("pk")
    versions = {each.pk: each for each in together}
    correction: Correction = versions[correction_id]
    correction.supersedes = versions[correction.supersedes_id] if correction.supersedes_id else None
    return correction


def locked_proposal(proposal_id: int) -> Proposal:
    """Fetch a proposal and its correction, both locked, the correction first."""
    correction = locked(Proposal.objects.only("correction_id").get(pk=proposal_id).correction_id)
    rows = Proposal.objects.select_for_update(of=("self",)).select_related("proposer")
    proposal = rows.get(pk=proposal_id)
    proposal.correction = correction
    return proposal


def _references(correction_id: int) -> list[str]:
    """Its own reference, and what it spares from. Terms that are proposed do not change under the reader."""
    asked = Correction.objects.only("reference", "kind", "parameters").get(pk=correction_id)
    return [asked.reference, *spared_names(asked.kind, asked.parameters)]


def move(correction: Correction, name: str) -> None:
    """Make one declared move and save it, or say why it does not exist from here."""
    try:
        getattr(correction, name)()
    except TransitionNotAllowed as error:
        raise ConflictError(
            f"{correction} is {correction.get_state_display().lower()}.", code="wrong_state"
        ) from error
    correction.save()


def close(proposal: Proposal, state: ProposalState, *, because: str, now: datetime, by: User | None) -> None:
    """End a proposal and tell everybody in whose inbox it stands."""
    proposal.state, proposal.closed_at, proposal.closed_because = state, now, because
    proposal.save(update_fields=["state", "closed_at", "closed_because"])
    record(f"proposal.{state.lower()}", proposal, by=by, digest=proposal.digest, because=because)
    hint("inbox", f"correction:{proposal.correction_id}")


def next_reference() -> str:
    """Give a reference that was never given before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('corrections_reference')")
        return f"COR-{cursor.fetchone()[0]:04d}"
