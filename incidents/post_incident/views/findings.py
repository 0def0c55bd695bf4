"""Findings and what is left to do."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from incidents.forms import refusals_in
from incidents.post_incident import actions, forms
from incidents.post_incident.models import Finding, FollowUp, Review
from incidents.post_incident.views.shared import back, show, visible_review
from incidents.views.shared import form_page

if TYPE_CHECKING:
    from django.http import HttpResponse

    from incidents.views.shared import SignedInRequest


@require_POST
def add(request: SignedInRequest, pk: int) -> HttpResponse:
    """Add a finding."""
    review, form = visible_review(request, pk), forms.AddFinding(request.POST, auto_id="finding_%s")
    if form.is_valid():
        with refusals_in(form):
            actions.add_finding(incident_id=pk, by=request.user, **form.cleaned_data)
            return back(pk, "findings")
    return show(request, review, finding_form=form)


@form_page
def settle(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say what a finding led to, or waive it."""
    finding = _finding(request, pk)
    initial = {"changed": finding.changed, "words": finding.change or finding.waived_reason}
    form = forms.Settle(request.POST or None, initial=initial)
    if form.is_valid():
        with refusals_in(form):
            _settle(finding, by=request, **form.cleaned_data)
            return back(finding.review.incident_id, "findings")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "post_incident/settle.html", {"finding": finding, "form": form}, status=status)


@require_POST
def remove(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a finding back."""
    incident = _finding(request, pk).review.incident_id
    actions.remove_finding(finding_id=pk, by=request.user)
    return back(incident, "findings")


@require_POST
def add_follow_up(request: SignedInRequest, pk: int) -> HttpResponse:
    """Add something to do."""
    review, form = visible_review(request, pk), forms.AddFollowUp(request.POST, auto_id="follow_up_%s")
    if form.is_valid():
        with refusals_in(form):
            actions.add_follow_up(incident_id=pk, by=request.user, **form.cleaned_data)
            return back(pk, "follow-ups")
    return show(request, review, follow_up_form=form)


@require_POST
def finish_follow_up(request: SignedInRequest, pk: int) -> HttpResponse:
    """End a follow-up."""
    seen = Review.objects.visible_to(request.user)
    follow_up = get_object_or_404(FollowUp.objects.select_related("review"), pk=pk, review__in=seen)
    actions.finish_follow_up(follow_up_id=pk, by=request.user)
    return back(follow_up.review.incident_id, "follow-ups")


def _settle(finding: Finding, *, changed: str, words: str, by: SignedInRequest) -> None:
    if changed:
        actions.link_finding(finding_id=finding.pk, changed=changed, change=words, by=by.user)
    else:
        actions.waive_finding(finding_id=finding.pk, reason=words, by=by.user)


def _finding(request: SignedInRequest, pk: int) -> Finding:
    seen = Review.objects.visible_to(request.user)
    found = Finding.objects.select_related("review__incident")
    return get_object_or_404(found, pk=pk, review__in=seen)
