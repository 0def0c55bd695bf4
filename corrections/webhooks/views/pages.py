"""The list of webhooks, one of them, and adding one."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from corrections.views.request import part
from corrections.webhooks import actions, forms, panels, policies
from corrections.webhooks.models import Endpoint
from incidents.forms import refusals_in

if TYPE_CHECKING:
    from django.forms import Form
    from django.http import HttpResponse

    from corrections.views.request import SignedIn


@require_safe
def index(request: SignedIn) -> HttpResponse:
    """Every address that policies are sent to."""
    policies.check_can_see(request.user)
    found = panels.webhooks(request.user)
    return render(request, f"webhooks/list.html{part(request, 'list')}", {"webhooks": found})


@require_safe
def show(request: SignedIn, pk: int) -> HttpResponse:
    """One endpoint with its last deliveries."""
    policies.check_can_see(request.user)
    found = panels.detail(endpoint_of(pk), request.user)
    return render(request, f"webhooks/detail.html{part(request, 'live')}", {"detail": found})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: SignedIn) -> HttpResponse:
    """Send policies to one more address; its secret is on this answer and nowhere else."""
    policies.check_can_manage(request.user)
    form = forms.AddEndpoint(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_in(form):
            revealed = actions.add_endpoint(by=request.user, **form.cleaned_data)
            return render(request, "webhooks/secret.html", {"revealed": revealed})
    return render(request, "webhooks/add.html", {"form": form}, status=status_of(form))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: SignedIn, pk: int) -> HttpResponse:
    """Exchange the secret; the new one is on this answer and nowhere else."""
    endpoint = endpoint_of(pk)
    policies.check_can_change(endpoint, request.user)
    form = forms.Rotate(request.POST if request.method == "POST" else None)
    if form.is_valid():
        revealed = actions.rotate_secret(endpoint_id=pk, by=request.user, **form.cleaned_data)
        return render(request, "webhooks/secret.html", {"revealed": revealed})
    context = {"form": form, "endpoint": endpoint}
    return render(request, "webhooks/rotate.html", context, status=status_of(form))


@require_POST
def ping(request: SignedIn, pk: int) -> HttpResponse:
    """Ask an endpoint now, and say what it answered."""
    outcome = actions.ping_endpoint(endpoint_id=endpoint_of(pk).pk, by=request.user)
    held = f"policy {outcome.held.version}" if outcome.held else "no policy yet"
    if outcome.error:
        messages.error(request, f"It did not acknowledge. {outcome.error}")
    else:
        messages.success(request, f"It answered within {outcome.took_ms} ms and holds {held}.")
    return redirect("webhooks:detail", pk)


def endpoint_of(pk: int) -> Endpoint:
    """Give the endpoint; everybody with a role sees them all."""
    return get_object_or_404(Endpoint.objects.select_related("gateway", "created_by"), pk=pk)


def status_of(form: Form) -> HTTPStatus:
    """A form that was sent and has errors is an answer of its own kind."""
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
