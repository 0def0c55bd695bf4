"""A group of signals, and what people do with it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from incidents import known
from incidents.forms import refusals_in
from incidents.monitoring import actions, forms, policies
from incidents.monitoring.models import SignalGroup
from incidents.monitoring.selectors import group_page
from incidents.views.shared import form_page
from irapp.common.errors import ConflictError

if TYPE_CHECKING:
    from django.http import HttpResponse

    from incidents.views.shared import SignedInRequest

QUOTED = 2000
"""How much of a signal an incident's summary takes over."""


def visible(request: SignedInRequest, pk: int) -> SignalGroup:
    """Fetch a group within what the person may see; the rest is not found."""
    seen = SignalGroup.objects.visible_to(request.user)
    group: SignalGroup = get_object_or_404(
        seen.select_related("incident", "acknowledged_by", "closed_by"), pk=pk
    )
    return group


@require_safe
def group(request: SignedInRequest, pk: int) -> HttpResponse:
    """Everything about one group."""
    return _page(request, pk)


@require_POST
def acknowledge(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say that one is looking at it."""
    actions.acknowledge(group_id=visible(request, pk).pk, by=request.user)
    return _done(request, pk)


@require_POST
def link(request: SignedInRequest, pk: int) -> HttpResponse:
    """Link to the incident whose reference was given."""
    shown = visible(request, pk)
    form = forms.Link(request.POST, user=request.user)
    if form.is_valid():
        with refusals_in(form):
            incident_id = form.cleaned_data["incident"]
            actions.link_to_incident(group_id=shown.pk, incident_id=incident_id, by=request.user)
            return redirect(shown)
    return _page(request, pk, link_form=form)


@form_page
def open_incident(request: SignedInRequest, pk: int) -> HttpResponse:
    """Start an incident, filled in from the signals."""
    shown = visible(request, pk)
    policies.check_can_open_from(shown, request.user)
    form = forms.OpenFrom(request.POST or None, initial=_begin(shown))
    if form.is_valid():
        with refusals_in(form):
            return redirect(
                actions.open_incident_from(group_id=shown.pk, by=request.user, **form.cleaned_data)
            )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = {"group": shown, "form": form, "models": known.model_names()}
    return render(request, "monitoring/open.html", context, status=status)


@form_page
def close(request: SignedInRequest, pk: int) -> HttpResponse:
    """Close with a reason; refused where more signals arrived than the person saw."""
    shown = visible(request, pk)
    policies.check_can_close(shown, request.user)
    form = forms.Close(request.POST or None, initial={"count_seen": shown.count})
    if form.is_valid():
        try:
            with refusals_in(form):
                actions.close_group(group_id=shown.pk, by=request.user, **form.cleaned_data)
                return redirect(shown)
        except ConflictError as error:
            if error.code != "more_arrived":
                raise
            return _look_again(request, shown, form, error)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "monitoring/close.html", {"group": shown, "form": form}, status=status)


@require_POST
def reopen(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take up again what was closed."""
    shown, form = visible(request, pk), forms.Reopen(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    actions.reopen(group_id=shown.pk, by=request.user, reason=reason)
    return _done(request, pk)


def _page(request: SignedInRequest, pk: int, link_form: forms.Link | None = None) -> HttpResponse:
    shown = visible(request, pk)
    context = {
        "group": shown,
        "page": group_page(shown, request.user),
        "link_form": link_form or forms.Link(user=request.user),
    }
    if link_form is not None:
        return render(request, "monitoring/group.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return render(request, "monitoring/group.html" + ("#group" if request.htmx else ""), context)


def _done(request: SignedInRequest, pk: int) -> HttpResponse:
    return _page(request, pk) if request.htmx else redirect("monitoring:signal", pk)


def _look_again(
    request: SignedInRequest, shown: SignalGroup, form: forms.Close, error: ConflictError
) -> HttpResponse:
    """Keep the reason that was typed; what has arrived is one look away."""
    count = error.details["count"]
    again = forms.Close(initial={"reason": form.cleaned_data["reason"], "count_seen": count})
    messages.warning(request, str(error))
    context = {"group": shown, "form": again, "signals": shown.signals.order_by("-pk")[:3]}
    return render(request, "monitoring/close.html", context, status=HTTPStatus.CONFLICT)


def _begin(shown: SignalGroup) -> dict[str, object]:
    """Fill the form in from the first signal, which describes, and the newest, which tells how it stands."""
    received = shown.signals.select_related("source")
    first, newest = received.order_by("pk").first(), received.order_by("-pk").first()
    told = dict.fromkeys(signal.body[:QUOTED] for signal in (first, newest) if signal and signal.body)
    origin = [f"From {shown.reference}, first reported by {first.source}."] if first else []
    return {
        "title": shown.title,
        "summary": "\n\n".join([*told, *origin]),
        "severity": shown.severity,
        "model_name": shown.model_name,
    }
