"""Opening, reading and editing an incident."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from incidents import actions, forms, known, panels, policies
from incidents.selectors.page import next_step, stages
from incidents.selectors.stale import compare
from incidents.views.parts import forms_part, people_part, tasks_part, timeline_part
from incidents.views.shared import back_to, form_page, visible
from irapp.common.errors import ConflictError

if TYPE_CHECKING:
    from incidents.models import Incident
    from incidents.views.shared import SignedInRequest


@form_page
def create(request: SignedInRequest) -> HttpResponse:
    """Open an incident by hand."""
    policies.check_can_open(request.user)
    form = forms.Open(request.POST or None, initial={"title": request.GET.get("title", "")[:200]})
    if form.is_valid():
        with forms.refusals_in(form):
            return redirect(actions.open_incident(**form.cleaned_data, by=request.user))
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = {"form": form, "models": known.model_names()}
    return render(request, "incidents/new.html", context, status=status)


@require_safe
def detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """Everything about one incident."""
    incident = visible(request, pk)
    context = {
        "incident": incident,
        "panels": panels.filled(incident, request.user),
        "why_not_edit": policies.why_not(policies.check_can_edit, incident, request.user),
        **stage_part(incident, request),
        **people_part(incident, request),
        **tasks_part(incident, request),
        **timeline_part(incident, request),
        **forms_part(incident, request),
    }
    return render(request, "incidents/detail.html", context)


@require_safe
def stage(request: SignedInRequest, pk: int) -> HttpResponse:
    """Where it stands and what is missing; fetched again when something changes."""
    incident = visible(request, pk)
    context = {"incident": incident, **stage_part(incident, request)}
    return render(request, "incidents/detail.html#stage", context)


@require_safe
def panel(request: SignedInRequest, pk: int, name: str) -> HttpResponse:
    """One panel of another floor, fetched again when something changes."""
    incident = visible(request, pk)
    filled = panels.fill(name, incident, request.user)
    if filled is None:
        raise Http404("There is no such panel.")
    return render(request, "incidents/panel.html", {"incident": incident, "panel": filled})


@form_page
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change what the incident says; a stale form shows both versions and loses neither."""
    incident = visible(request, pk)
    policies.check_can_edit(incident, request.user)
    begin = {name: getattr(incident, name) for name in forms.Edit.base_fields}
    form = forms.Edit(request.POST or None, initial=begin)
    if form.is_valid():
        try:
            with forms.refusals_in(form):
                actions.edit(incident_id=pk, by=request.user, **form.cleaned_data)
                return back_to(incident)
        except ConflictError as error:
            if error.code != "stale_revision":
                raise
            return _stale(request, pk, form)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = {"incident": incident, "form": form, "models": known.model_names()}
    return render(request, "incidents/edit.html", context, status=status)


@form_page
def restrict(request: SignedInRequest, pk: int) -> HttpResponse:
    """Close or open the incident to those without a part in it."""
    incident = visible(request, pk)
    policies.check_can_restrict(incident, request.user)
    form = forms.Restrict(request.POST or None, initial={"restricted": incident.restricted})
    if form.is_valid():
        with forms.refusals_in(form):
            actions.restrict(incident_id=pk, by=request.user, **form.cleaned_data)
            return back_to(incident, "people")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "incidents/restrict.html", {"incident": incident, "form": form}, status=status)


def stage_part(incident: Incident, request: SignedInRequest) -> dict[str, object]:
    """Give what the stage part prints."""
    return {"stages": stages(incident), "step": next_step(incident, request.user)}


def _stale(request: SignedInRequest, pk: int, form: forms.Edit) -> HttpResponse:
    """Show their text beside ours, and offer to apply ours on top of theirs."""
    current = visible(request, pk)
    comparison = compare(current, form.cleaned_data)
    again = forms.Edit(initial=form.cleaned_data | {"revision": current.revision})
    context = {"incident": current, "form": again, "stale": comparison, "models": known.model_names()}
    return render(request, "incidents/edit.html", context, status=HTTPStatus.CONFLICT)
