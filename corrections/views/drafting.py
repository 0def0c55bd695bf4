"""Writing a correction down: draft, revise, next version. One page for all three."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from corrections import actions, forms, policies
from corrections.forms.offered import newest_of
from corrections.panels.sheet import known_models, page
from corrections.views.request import visible_correction, visible_incident
from irapp.common.errors import DomainError, InvalidError

if TYPE_CHECKING:
    from django.http import HttpResponse

    from corrections.forms.drafts import Saved
    from corrections.models import Correction
    from corrections.views.request import SignedIn

PARTS = {"kind": "#sheet", "preview": "#preview"}
form_page = require_http_methods(["GET", "HEAD", "POST"])


@form_page
def create(request: SignedIn) -> HttpResponse:
    """Draft the first version of a correction for an incident."""
    incident = visible_incident(request, request.GET.get("incident"))
    policies.check_can_open_package(incident, request.user)
    models = known_models(incident)
    return _answer(
        request,
        forms.Draft(
            request.POST or None,
            incident=incident,
            models=models,
            reader=request.user,
            initial=_begins(request),
        ),
    )


@form_page
def edit(request: SignedIn, pk: int) -> HttpResponse:
    """Change the terms of what nobody has approved yet."""
    correction = visible_correction(request, pk)
    policies.check_can_revise(correction, request.user)
    models = known_models(correction.package.incident)
    return _answer(
        request,
        forms.Revision(request.POST or None, correction=correction, models=models, reader=request.user),
    )


@form_page
def version(request: SignedIn, pk: int) -> HttpResponse:
    """Tighten or relax what is in force."""
    correction = visible_correction(request, pk)
    policies.check_can_draft_version(correction, request.user)
    models = known_models(correction.package.incident)
    return _answer(
        request,
        forms.Version(request.POST or None, correction=correction, models=models, reader=request.user),
    )


@require_POST
def step(request: SignedIn, pk: int) -> HttpResponse:
    """Draft the next step of a roll-out or restoration; where a time stands in its way, by hand."""
    correction = visible_correction(request, pk)
    form = forms.Step(request.POST)
    if not form.is_valid():
        raise InvalidError("Which step?", field="percentage", code="unknown_step")
    try:
        draft = actions.draft_step(correction_id=pk, by=request.user, **form.cleaned_data)
    except InvalidError as error:
        messages.warning(request, f"Not drafted by itself: {error} Write the version here.")
        return redirect("corrections:version", pk=correction.pk)
    messages.success(
        request, f"{draft} is drafted for {draft.percentage} % of users. Nobody has been asked yet."
    )
    return redirect("corrections:detail", pk=draft.pk)


def _begins(request: SignedIn) -> dict[str, object]:
    """Give what a link to the form suggests: a package, a segment, what to exempt from."""
    begins: dict[str, object] = {key: request.GET[key] for key in ("package",) if key in request.GET}
    if "segment" in request.GET:
        begins["segments"] = newest_of(request.GET["segment"])
    if "exempt" in request.GET:
        begins |= {"kind": "exempt", "corrections": [request.GET["exempt"]], "models": []}
    return begins


def _answer(request: SignedIn, form: Saved) -> HttpResponse:
    step = request.POST.get("step", "")
    if step == "kind":
        form.uncheck()
    elif request.method == "POST" and step != "preview" and (correction := form.saved(by=request.user)):
        return _saved_before(request, correction) if form.repeated else _next(request, correction, step)
    part = PARTS.get(step, "") if getattr(request, "htmx", False) else ""
    wrong = form.is_bound and step != "preview"
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return render(
        request,
        f"corrections/form.html{part}",
        {"form": form, "page": page(form, request.user)},
        status=status,
    )


def _saved_before(request: SignedIn, correction: Correction) -> HttpResponse:
    messages.info(request, f"{correction} was saved already. Nothing was changed.")
    return redirect("corrections:detail", pk=correction.pk)


def _next(request: SignedIn, correction: Correction, step: str) -> HttpResponse:
    if step == "propose":
        return _propose(request, correction)
    messages.success(request, f"{correction} is saved as a draft. Nobody has been asked yet.")
    if step == "another":
        package = correction.package
        return redirect(
            f"{reverse('corrections:create')}?incident={package.incident_id}&package={package.pk}"
        )
    return redirect("corrections:detail", pk=correction.pk)


def _propose(request: SignedIn, correction: Correction) -> HttpResponse:
    """The draft stands; whether it can be proposed is another question, and its refusal loses nothing."""
    try:
        proposal = actions.propose(correction_id=correction.pk, by=request.user)
    except DomainError as error:
        messages.warning(request, f"{correction} is saved as a draft, but not proposed: {error}")
        return redirect("corrections:detail", pk=correction.pk)
    messages.success(request, f"{correction} is proposed. Those who may decide see it in their inbox.")
    return redirect("corrections:proposal", pk=proposal.pk)
