"""What views rely on: nobody gets here without signing in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from corrections.models import Correction, Gateway, Proposal
from incidents.models import Incident

if TYPE_CHECKING:
    from irapp.accounts.models import User

MOST = 2**63 - 1


class SignedIn(HttpRequest):
    """A request after the login middleware."""

    user: User


def visible_incident(request: SignedIn, given: str | None) -> Incident:
    """Give the incident with this number, among those that the person may see."""
    incident: Incident = get_object_or_404(Incident.objects.visible_to(request.user), pk=_number(given))
    return incident


def visible_correction(request: SignedIn, pk: int) -> Correction:
    """Give the correction, with its incident, among those that the person may see."""
    rows = Correction.objects.visible_to(request.user).select_related(
        "package__incident", "supersedes", "drafted_by"
    )
    correction: Correction = get_object_or_404(rows, pk=pk)
    return correction


def visible_proposal(request: SignedIn, pk: int) -> Proposal:
    """Give the proposal, with its correction, among those that the person may see."""
    rows = Proposal.objects.visible_to(request.user).select_related(
        "correction__package__incident", "correction__supersedes", "proposer"
    )
    return get_object_or_404(rows.prefetch_related("votes__user"), pk=pk)


def visible_gateway(_request: SignedIn, pk: int) -> Gateway:
    """Give the gateway; everybody with a role sees them all."""
    return get_object_or_404(Gateway, pk=pk)


def _number(given: str | None) -> int:
    if given and given.isascii() and given.isdigit() and int(given) <= MOST:
        return int(given)
    raise Http404("Which incident?")


def part(request: SignedIn, *names: str) -> str:
    """Give ``#name`` where the page asks for that part of itself again, else nothing: the whole page."""
    asked = request.GET.get("part", "")
    return f"#{asked}" if asked in names else ""
