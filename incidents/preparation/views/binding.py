"""Completing preparation on an incident."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import render

from incidents.forms import refusals_in
from incidents.panels import Filled
from incidents.preparation import policies
from incidents.preparation.items import ITEMS
from incidents.preparation.panels import checklist
from incidents.views.shared import back_to, form_page, fragment, visible

if TYPE_CHECKING:
    from django.http import HttpResponse

    from incidents.models import Incident
    from incidents.preparation.items import Choose, Say
    from incidents.views.shared import SignedInRequest


@form_page
def complete(request: SignedInRequest, pk: int, code: str) -> HttpResponse:
    """Meet one condition: in its place on the incident page, or on a page by itself."""
    incident, item = visible(request, pk), ITEMS.get(code)
    if item is None:
        raise Http404("There is no such item.")
    policies.check_can_bind(incident, request.user)
    form = item.bound(incident, request.POST or None)
    if form.is_valid():
        with refusals_in(form):
            item.complete(incident, form.cleaned_data, request.user)
            return _completed(request, visible(request, pk))
    return _form(request, incident, form)


def _completed(request: SignedInRequest, incident: Incident) -> HttpResponse:
    if not request.htmx:
        return back_to(incident, "preparation")
    panel = Filled("preparation", "preparation/panel.html", checklist(incident, request.user))
    return fragment(request, "incidents/panel.html", {"incident": incident, "panel": panel}, incident)


def _form(request: SignedInRequest, incident: Incident, form: Choose | Say) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    if request.htmx:
        panel = Filled(
            "preparation", "preparation/panel.html", checklist(incident, request.user, filled=form)
        )
        return render(request, "incidents/panel.html", {"incident": incident, "panel": panel}, status=status)
    context = {"incident": incident, "form": form}
    return render(request, "preparation/complete.html", context, status=status)
