"""The register of sources."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from incidents.forms import refusals_in
from incidents.monitoring import actions, forms, policies
from incidents.monitoring.models import Source
from incidents.policies import why_not
from incidents.views.shared import form_page

if TYPE_CHECKING:
    from django.http import HttpResponse

    from incidents.views.shared import SignedInRequest


@require_safe
def sources(request: SignedInRequest) -> HttpResponse:
    """Every source."""
    found = Source.objects.select_related("owner")
    context = {"sources": found, "why_not_keep": why_not(policies.check_can_keep_sources, request.user)}
    return render(request, "monitoring/sources.html", context)


@form_page
def add(request: SignedInRequest) -> HttpResponse:
    """Listen to one more source."""
    policies.check_can_keep_sources(request.user)
    form = forms.AddSource(request.POST or None)
    if form.is_valid():
        with refusals_in(form):
            actions.add_source(by=request.user, **form.cleaned_data)
            return redirect("monitoring:sources")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "monitoring/source.html", {"form": form}, status=status)


@form_page
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a source, or stop listening to it."""
    policies.check_can_keep_sources(request.user)
    source = get_object_or_404(Source, pk=pk)
    begin = {name: getattr(source, name) for name in ("name", "kind", "owner_id", "enabled")}
    form = forms.EditSource(request.POST or None, initial=begin)
    if form.is_valid():
        with refusals_in(form):
            actions.edit_source(source_id=pk, by=request.user, **form.cleaned_data)
            return redirect("monitoring:sources")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "monitoring/source.html", {"form": form, "source": source}, status=status)
