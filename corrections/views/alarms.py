"""Alarms: what is open, what was, one of them, and saying that one looks after it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from corrections import actions, forms
from corrections.panels import alarms as panels
from corrections.selectors.alarms import alarms
from corrections.views.request import part

if TYPE_CHECKING:
    from django.http import HttpResponse

    from corrections.models import Alarm
    from corrections.views.request import SignedIn


@require_safe
def index(request: SignedIn) -> HttpResponse:
    """Open alarms, or those that were cleared."""
    found = panels.listing(request.user, request.GET.dict())
    return render(request, f"corrections/alarms.html{part(request, 'list')}", {"listing": found})


@require_safe
def show(request: SignedIn, pk: int) -> HttpResponse:
    """One alarm."""
    return _page(request, _visible(request, pk), forms.Acknowledge())


@require_safe
def banner(request: SignedIn) -> HttpResponse:
    """What stands above every page, for whoever is told of alarms."""
    return render(request, "corrections/banner.html", {"banner": panels.banner(request.user)})


@require_POST
def acknowledge(request: SignedIn, pk: int) -> HttpResponse:
    """Say that one looks after it."""
    alarm = _visible(request, pk)
    form = forms.Acknowledge(request.POST)
    if not form.is_valid():
        return _page(request, alarm, form)
    actions.acknowledge_alarm(alarm_id=alarm.pk, by=request.user, **form.cleaned_data)
    messages.success(request, f"You look after it now: {alarm}.")
    return redirect("corrections:alarm", pk=alarm.pk)


def _visible(request: SignedIn, pk: int) -> Alarm:
    return get_object_or_404(alarms(request.user), pk=pk)


def _page(request: SignedIn, alarm: Alarm, form: forms.Acknowledge) -> HttpResponse:
    shown = {"detail": panels.detail(alarm, request.user), "form": form}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, f"corrections/alarm.html{part(request, 'live')}", shown, status=status)
