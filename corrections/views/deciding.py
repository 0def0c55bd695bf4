"""The decision page, and the vote in two steps."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from corrections import actions, forms, policies
from corrections.panels.decision import missing, proposal_page, since
from corrections.states import ProposalState, Verdict
from corrections.views.request import part, visible_proposal
from irapp.common.errors import ConflictError

if TYPE_CHECKING:
    from django.http import HttpResponse

    from corrections.actions import Ballot
    from corrections.models import Proposal
    from corrections.views.request import SignedIn

TOLD = {Verdict.APPROVE: "approval", Verdict.REJECT: "rejection"}


@require_safe
def proposal(request: SignedIn, pk: int) -> HttpResponse:
    """What is to be decided, for whom, why, by whom and until when."""
    asked = visible_proposal(request, pk)
    form = forms.Vote(initial={"digest": asked.digest})
    shown = {"page": proposal_page(asked, request.user), "form": form}
    return render(request, f"corrections/proposal.html{part(request, 'standing')}", shown)


@require_POST
def review(request: SignedIn, pk: int) -> HttpResponse:
    """Show the vote once more before it is cast. Nothing is stored here."""
    asked, form = visible_proposal(request, pk), forms.Vote(request.POST)
    if not form.is_valid():
        return _again(request, asked, form)
    said = {name: form.cleaned_data[name] for name in ("verdict", "digest")}
    try:
        policies.check_can_vote(asked, request.user, now=timezone.now(), **said)
    except ConflictError as error:
        return _stale(request, asked, error)
    return render(
        request, "corrections/review.html", {"page": proposal_page(asked, request.user), "form": form}
    )


@require_POST
def vote(request: SignedIn, pk: int) -> HttpResponse:
    """Cast the vote on exactly the bytes that were shown."""
    asked, form = visible_proposal(request, pk), forms.Vote(request.POST)
    if not form.is_valid():
        return _again(request, asked, form)
    try:
        ballot = actions.vote(proposal_id=pk, by=request.user, **form.cleaned_data)
    except ConflictError as error:
        return _stale(request, visible_proposal(request, pk), error)
    return _cast(request, ballot)


def _again(request: SignedIn, asked: Proposal, form: forms.Vote) -> HttpResponse:
    """Ask for what is missing; what was written stays."""
    shown = {"page": proposal_page(asked, request.user), "form": form}
    return render(request, "corrections/proposal.html", shown, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _stale(request: SignedIn, asked: Proposal, error: ConflictError) -> HttpResponse:
    """Say that the vote does not count, and what is different now."""
    shown = {"error": error, "page": proposal_page(asked, request.user), "rows": since(asked)}
    return render(request, "corrections/stale.html", shown, status=HTTPStatus.CONFLICT)


def _cast(request: SignedIn, ballot: Ballot) -> HttpResponse:
    proposal = ballot.proposal
    kind = TOLD[Verdict(ballot.vote.verdict)]
    if ballot.repeated:
        messages.info(request, f"Your {kind} was recorded already. Nothing was changed.")
    elif proposal.is_open:
        messages.success(request, f"Your {kind} counts. {missing(proposal)}")
    else:
        messages.success(request, f"Your {kind} decided it: {proposal.get_state_display().lower()}.")
    if proposal.state == ProposalState.APPROVED:
        return redirect("corrections:detail", pk=proposal.correction_id)  # there the gateways can be watched
    return redirect("corrections:proposal", pk=proposal.pk)
