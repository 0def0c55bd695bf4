"""What every view begins and ends with."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from incidents.models import Incident

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_htmx.middleware import HtmxDetails

    from irapp.accounts.models import User


form_page = require_http_methods(["GET", "HEAD", "POST"])


class SignedInRequest(HttpRequest):
    """A request behind the sign-in; everything here is."""

    user: User
    htmx: HtmxDetails


def visible(request: SignedInRequest, pk: int) -> Incident:
    """Fetch an incident within what the person may see; the rest is not found."""
    seen = Incident.objects.visible_to(request.user)
    incident: Incident = get_object_or_404(
        seen.select_related("commander", "opened_by", "emergency_by"), pk=pk
    )
    return incident


def fragment(
    request: SignedInRequest, template: str, context: Mapping[str, object], incident: Incident
) -> HttpResponse:
    """Answer with one part of the incident page, and let its other parts fetch themselves again."""
    response = render(request, template, context)
    response["HX-Trigger"] = json.dumps({f"live:incident:{incident.pk}": {"target": "body"}})
    return response


def again(request: SignedInRequest, part: str, context: Mapping[str, object]) -> HttpResponse:
    """Show a form of the incident page with what was wrong: in its place, or as a page by itself."""
    template = f"incidents/parts/{part}.html"
    if not request.htmx:
        template, context = "incidents/again.html", {**context, "part": template}
    return render(request, template, context, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def back_to(incident: Incident, anchor: str = "") -> HttpResponse:
    """Lead to the incident page, to one of its parts."""
    return redirect(reverse("incidents:detail", args=[incident.pk]) + (f"#{anchor}" if anchor else ""))
