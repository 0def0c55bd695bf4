"""What every page of a review begins and ends with."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404, redirect, render

from incidents.post_incident import forms, panels
from incidents.post_incident.models import Review

if TYPE_CHECKING:
    from django.forms import Form
    from django.http import HttpResponse

    from incidents.views.shared import SignedInRequest


def visible_review(request: SignedInRequest, pk: int) -> Review:
    """Fetch the review of an incident within what the person may see."""
    seen = Review.objects.visible_to(request.user)
    people = ("incident__commander", "incident__opened_by", "author", "submitted_by")
    found: Review = get_object_or_404(seen.select_related(*people), incident=pk)
    return found


def show(request: SignedInRequest, review: Review, **filled: Form) -> HttpResponse:
    """Show the page; ``filled`` are forms that came back with errors."""
    page = panels.page(review, request.user)
    digest = page.submission.digest if page.submission else ""
    context = {
        "page": page,
        "finding_form": forms.AddFinding(auto_id="finding_%s"),
        "follow_up_form": forms.AddFollowUp(auto_id="follow_up_%s"),
        "sign_form": forms.Sign(initial={"digest": digest}, auto_id="sign_%s"),
        "return_form": forms.Return(auto_id="return_%s"),
        **filled,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if filled else HTTPStatus.OK
    return render(request, "post_incident/review.html", context, status=status)


def back(review_of: int, anchor: str = "") -> HttpResponse:
    """Lead to the page again."""
    response = redirect("post_incident:review", review_of)
    response["Location"] += f"#{anchor}" if anchor else ""
    return response
