"""The list of corrections, and one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_safe

from corrections import forms
from corrections.panels.chart import chart
from corrections.panels.detail import detail
from corrections.panels.fleet import fleet
from corrections.panels.listing import listing
from corrections.views.request import part, visible_correction

if TYPE_CHECKING:
    from django.http import HttpResponse

    from corrections.views.request import SignedIn


@require_safe
def index(request: SignedIn) -> HttpResponse:
    """Corrections by what is asked of the reader."""
    form = forms.Filter(request.GET)
    filters = form.cleaned_data if form.is_valid() else {}
    found = listing(request.user, request.GET.dict(), filters)
    return render(request, f"corrections/list.html{part(request, 'list')}", {"listing": found, "form": form})


@require_safe
def show(request: SignedIn, pk: int) -> HttpResponse:
    """One correction."""
    correction, window = visible_correction(request, pk), request.GET.get("window", "")
    if part(request, "log"):
        return render(request, "corrections/log.html", {"chart": chart(correction, window)})
    found = detail(correction, request.user, window)
    return render(request, f"corrections/detail.html{part(request, 'live')}", {"detail": found})


@require_safe
def gateways(request: SignedIn) -> HttpResponse:
    """What is wanted, delivered, acknowledged and observed."""
    found = fleet(request.user)
    return render(request, f"corrections/gateways.html{part(request, 'fleet')}", {"fleet": found})
