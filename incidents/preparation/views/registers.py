"""Readiness, and the pages that all registers share."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from incidents.forms import refusals_in
from incidents.policies import why_not
from incidents.preparation import actions, forms, policies
from incidents.preparation.registers import REGISTERS, Register
from incidents.preparation.selectors.readiness import readiness
from incidents.selectors.stale import compare
from incidents.views.shared import form_page
from irapp.audit.models import Event
from irapp.common.errors import ConflictError

if TYPE_CHECKING:
    from django.http import HttpResponse

    from incidents.preparation.models import Entry
    from incidents.views.shared import SignedInRequest


@require_safe
def index(request: SignedInRequest) -> HttpResponse:
    """How ready each model is."""
    context = {"models": readiness(today=timezone.now().date()), "tabs": _tabs("")}
    context["may"] = not why_not(policies.check_can_prepare, request.user)
    return render(request, "preparation/index.html", context)


@require_safe
def entries(request: SignedInRequest, kind: str) -> HttpResponse:
    """The entries of a register; retired ones last."""
    register = _register(kind)
    found = sorted(
        register.model.objects.select_related("owner"), key=lambda entry: entry.retired_at is not None
    )
    context = {"register": register, "entries": found, "tabs": _tabs(kind), "today": timezone.now().date()}
    context["may"] = not why_not(policies.check_can_prepare, request.user)
    return render(request, "preparation/entries.html", context)


@require_safe
def entry(request: SignedInRequest, kind: str, pk: int) -> HttpResponse:
    """One entry, with its history."""
    register = _register(kind)
    shown = get_object_or_404(register.model.objects.select_related("owner"), pk=pk)
    events = Event.objects.filter(target_type=shown._meta.label_lower, target_id=pk)[:50]  # noqa: SLF001
    context = {"register": register, "entry": shown, "events": events, "kind": kind}
    context["may"] = not shown.retired_at and not why_not(policies.check_can_prepare, request.user)
    return render(request, f"preparation/entry_{register.noun}.html", context)


@form_page
def create(request: SignedInRequest, kind: str) -> HttpResponse:
    """A new entry."""
    register = _register(kind)
    policies.check_can_prepare(request.user)
    return _save(request, register, register.form(request.POST or None), None)


@form_page
def edit(request: SignedInRequest, kind: str, pk: int) -> HttpResponse:
    """Change an entry; a stale form shows both versions and loses neither."""
    register = _register(kind)
    shown = get_object_or_404(register.model, pk=pk)
    policies.check_can_prepare(request.user)
    policies.check_is_current(shown)
    form = register.form(request.POST or None, initial=forms.begin(register.form, shown))
    try:
        return _save(request, register, form, shown)
    except ConflictError as error:
        if error.code != "stale_revision":
            raise
    return _stale(request, register, form, pk)


@form_page
def retire(request: SignedInRequest, kind: str, pk: int) -> HttpResponse:
    """Take an entry out of use."""
    register = _register(kind)
    shown = get_object_or_404(register.model, pk=pk)
    policies.check_can_prepare(request.user)
    form = forms.Retire(request.POST or None)
    if form.is_valid():
        with refusals_in(form):
            actions.retire(kind=register.model, entry_id=pk, by=request.user, **form.cleaned_data)
            return redirect("preparation:entries", kind)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = {"register": register, "entry": shown, "form": form}
    return render(request, "preparation/retire.html", context, status=status)


def _save(
    request: SignedInRequest, register: Register, form: forms.EntryForm, shown: Entry | None
) -> HttpResponse:
    if form.is_valid():
        pk, revision = (shown.pk, form.cleaned_data["revision"] or 0) if shown else (None, None)
        with refusals_in(form):
            saved = register.save(entry_id=pk, revision=revision, content=form.content(), by=request.user)
            return redirect(saved.get_absolute_url())
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = {"register": register, "form": form, "entry": shown}
    return render(request, "preparation/edit.html", context, status=status)


def _stale(request: SignedInRequest, register: Register, form: forms.EntryForm, pk: int) -> HttpResponse:
    current = register.model.objects.get(pk=pk)
    plain = {
        name: value
        for name, value in form.cleaned_data.items()
        if hasattr(current, name) or name == "revision"
    }
    again = request.POST.copy()
    again["revision"] = str(current.revision)
    form = register.form(again)
    context = {"register": register, "form": form, "entry": current, "stale": compare(current, plain)}
    return render(request, "preparation/edit.html", context, status=HTTPStatus.CONFLICT)


def _register(kind: str) -> Register:
    if kind not in REGISTERS:
        raise Http404("There is no such register.")
    return REGISTERS[kind]


def _tabs(current: str) -> list[dict[str, object]]:
    places = [("", "Readiness"), *((register.kind, register.title) for register in REGISTERS.values())]
    base = reverse("preparation:index")
    return [
        {"label": label, "url": f"{base}{kind}/" if kind else base, "current": kind == current, "count": None}
        for kind, label in places
    ]
