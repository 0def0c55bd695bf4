"""Orders to destroy components, and holds on evidence. Nothing here destroys anything."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from corrections import actions, ordering
from corrections.forms import destroying as forms
from corrections.models import DestructionOrder, EvidenceHold
from corrections.panels.asking import why_not
from corrections.panels.destroying import order_page, register
from corrections.panels.sheet import known_models
from corrections.states import OrderState
from corrections.views.request import part, visible_incident

if TYPE_CHECKING:
    from django.http import HttpResponse

    from corrections.views.request import SignedIn

form_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def index(request: SignedIn) -> HttpResponse:
    """What was ordered, and what evidence is held."""
    return render(request, "corrections/destruction_list.html", {"register": register(request.user)})


@require_safe
def show(request: SignedIn, pk: int) -> HttpResponse:
    """One order."""
    page = order_page(visible_order(request, pk), request.user)
    return render(request, f"corrections/destruction.html{part(request, 'live')}", {"page": page})


@require_safe
def hold(request: SignedIn, pk: int) -> HttpResponse:
    """One hold."""
    found = visible_hold(request, pk)
    reason = why_not(ordering.check_can_release, found, request.user)
    return render(request, "corrections/hold.html", {"hold": found, "why_not": reason})


@form_page
def order(request: SignedIn) -> HttpResponse:
    """Draft an order."""
    incident = visible_incident(request, request.GET.get("incident"))
    ordering.check_can_order(incident, request.user)
    form = forms.Order(request.POST or None, incident=incident, models=known_models(incident))
    if form.is_valid() and (drafted := form.save(by=request.user)):
        messages.success(request, f"{drafted} is drafted. Two executives have to sign it.")
        return redirect(drafted)
    return _write(request, "corrections/order_form.html", form)


@form_page
def place(request: SignedIn) -> HttpResponse:
    """Place a hold."""
    incident = visible_incident(request, request.GET.get("incident"))
    ordering.check_can_hold(incident, request.user)
    form = forms.Hold(request.POST or None, incident=incident, models=known_models(incident))
    if form.is_valid() and (placed := form.save(by=request.user)):
        messages.success(request, f"{placed} stands: no order that could touch it can be signed.")
        return redirect(placed)
    return _write(request, "corrections/hold_form.html", form)


@form_page
def sign(request: SignedIn, pk: int) -> HttpResponse:
    """Show an order once more, and sign exactly that."""
    asked = visible_order(request, pk)
    ordering.check_can_sign(asked, request.user)
    form = forms.Signature(request.POST or None, initial={"digest": asked.digest})
    if form.is_valid():
        signed = actions.sign_order(order_id=pk, by=request.user, **form.cleaned_data)
        done = signed.state == OrderState.ORDERED
        messages.success(
            request, f"{signed} is ordered." if done else "Your signature counts. One more is needed."
        )
        return redirect(signed)
    shown = {"page": order_page(asked, request.user), "form": form}
    return render(request, "corrections/destruction_sign.html", shown, status=_status(form))


def visible_order(request: SignedIn, pk: int) -> DestructionOrder:
    """Give the order, among those that the person may see."""
    rows = DestructionOrder.objects.visible_to(request.user)
    found: DestructionOrder = get_object_or_404(
        rows.select_related("incident", "drafted_by", "withdrawn_by"), pk=pk
    )
    return found


def visible_hold(request: SignedIn, pk: int) -> EvidenceHold:
    """Give the hold, among those that the person may see."""
    rows = EvidenceHold.objects.visible_to(request.user)
    found: EvidenceHold = get_object_or_404(
        rows.select_related("incident", "placed_by", "released_by"), pk=pk
    )
    return found


def _write(request: SignedIn, template: str, form: forms.Order | forms.Hold) -> HttpResponse:
    return render(request, template, {"form": form, "incident": form.incident}, status=_status(form))


def _status(form: forms.Order | forms.Hold | forms.Signature) -> HTTPStatus:
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
