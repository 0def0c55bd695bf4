"""The log: read, narrowed, taken out. There is nothing here that changes it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import Http404, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_safe

from irapp.audit import forms, panels, policies
from irapp.audit.exports import FORMATS, export
from irapp.audit.selectors import choices, filtered, visible_to

if TYPE_CHECKING:
    from django.http import HttpResponse

    from irapp.accounts.http import SignedInRequest


@require_safe
def events(request: SignedInRequest) -> HttpResponse:
    """What happened, the newest first."""
    offered = choices(request.user)
    form = forms.Filter(request.GET, offered=offered)
    context = {"form": form, "log": panels.log(request.user, form, request.GET.dict(), offered.verbs)}
    template = "audit/events.html" + ("#log" if request.GET.get("part") == "log" else "")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, template, context, status=status)


@require_safe
def event(request: SignedInRequest, pk: int) -> HttpResponse:
    """One event, with all that it holds."""
    shown = get_object_or_404(visible_to(request.user), pk=pk)
    return render(request, "audit/event.html", {"detail": panels.detail(shown)})


@require_GET
def take_out(request: SignedInRequest, kind: str) -> HttpResponse | StreamingHttpResponse:
    """Give the events that the same filter shows, as a file."""
    policies.check_can_export(request.user)
    form = forms.Filter(request.GET)
    if kind not in FORMATS or not form.is_valid():
        raise Http404("There is no such export.")
    found = filtered(visible_to(request.user), form.cleaned_data)
    file = export(events=found, kind=kind, asked=form.given, by=request.user)
    response = StreamingHttpResponse(file.lines, content_type=file.content_type)
    response["Content-Disposition"] = f'attachment; filename="{file.name}"'
    response["Cache-Control"] = "no-store"
    return response
