"""Writing, submitting, signing and exporting a review."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from incidents.forms import refusals_in
from incidents.policies import why_not
from incidents.post_incident import actions, exports, forms, panels, policies
from incidents.post_incident.actions.reviews import TEXTS
from incidents.post_incident.models import Review
from incidents.post_incident.views.shared import back, show, visible_review
from incidents.selectors.stale import compare
from incidents.views.shared import form_page, visible
from irapp.audit.record import record
from irapp.common.errors import ConflictError

if TYPE_CHECKING:
    from incidents.views.shared import SignedInRequest


@require_safe
def review(request: SignedInRequest, pk: int) -> HttpResponse:
    """The review, or the way to begin it."""
    incident = visible(request, pk)
    if Review.objects.filter(incident=incident).exists():
        return show(request, visible_review(request, pk))
    panel = panels.ReviewPanel(None, why_not(policies.check_can_write, incident, request.user))
    return render(request, "post_incident/none.html", {"incident": incident, "panel": panel})


@require_POST
def begin(request: SignedInRequest, pk: int) -> HttpResponse:
    """Begin it."""
    visible(request, pk)
    actions.begin(incident_id=pk, by=request.user)
    return back(pk)


@form_page
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change the texts."""
    shown = visible_review(request, pk)
    policies.check_can_write(shown.incident, request.user)
    texts = {name: getattr(shown, name) for name in TEXTS}
    form = forms.Edit(request.POST or None, initial={**texts, "revision": shown.revision})
    context: dict[str, Any] = {"review": shown, "incident": shown.incident, "form": form}
    if form.is_valid():
        try:
            with refusals_in(form):
                actions.edit(incident_id=pk, by=request.user, **form.cleaned_data)
                return back(pk)
        except ConflictError as error:
            if error.code != "stale_revision":
                raise
            shown.refresh_from_db()
            context["form"] = forms.Edit(initial=form.cleaned_data | {"revision": shown.revision})
            context["stale"] = compare(shown, form.cleaned_data)
            return render(request, "post_incident/edit.html", context, status=HTTPStatus.CONFLICT)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "post_incident/edit.html", context, status=status)


@require_POST
def submit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Put it before the auditors."""
    visible_review(request, pk)
    actions.submit(incident_id=pk, by=request.user)
    return back(pk)


@require_POST
def sign(request: SignedInRequest, pk: int) -> HttpResponse:
    """Put one's name to it."""
    shown, form = visible_review(request, pk), forms.Sign(request.POST, auto_id="sign_%s")
    if not form.is_valid():
        return show(request, shown, sign_form=form)
    actions.sign(incident_id=pk, by=request.user, **form.cleaned_data)
    return back(pk)


@require_POST
def give_back(request: SignedInRequest, pk: int) -> HttpResponse:
    """Return it with comments."""
    shown, form = visible_review(request, pk), forms.Return(request.POST, auto_id="return_%s")
    if not form.is_valid():
        return show(request, shown, return_form=form)
    actions.return_to_draft(incident_id=pk, by=request.user, **form.cleaned_data)
    return back(pk)


@require_safe
@transaction.atomic
def export(request: SignedInRequest, pk: int, form: str) -> HttpResponse:
    """The report as a file; who took it is on the record."""
    shown = visible_review(request, pk)
    if form not in {"md", "json"}:
        raise Http404
    page = panels.page(shown, request.user)
    digest = page.submission.digest if page.submission else ""
    record("review.exported", shown, by=request.user, form=form, digest=digest)
    response = (
        JsonResponse(exports.document(page), json_dumps_params={"indent": 2})
        if form == "json"
        else HttpResponse(exports.markdown(page), content_type="text/markdown; charset=utf-8")
    )
    name = f"{shown.incident.reference}-review.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
