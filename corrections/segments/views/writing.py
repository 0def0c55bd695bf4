"""Beginning, describing, retiring; and bringing corrections up to a new version."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render

from corrections.segments import actions, forms, policies
from corrections.segments.actions.redrafting import outdated
from corrections.segments.models import Segment
from corrections.segments.selectors import usage
from corrections.segments.views.shared import form_page, posted, visible
from incidents.forms import refusals_in
from irapp.common.errors import ConflictError

if TYPE_CHECKING:
    from django.forms import Form
    from django.http import HttpResponse

    from corrections.segments.models import Register
    from corrections.segments.views.shared import Kind
    from corrections.views.request import SignedIn


@form_page
def create(request: SignedIn, kind: Kind) -> HttpResponse:
    """Begin one."""
    policies.check_can_keep(request.user)
    form = kind.new(posted(request))
    if form.is_valid():
        with refusals_in(form):
            begun = _begun(kind, form, request)
            messages.success(request, f"{begun} is begun. Nothing is in it yet: import a file.")
            return redirect(kind.url("import", begun.pk))
    return _form(request, kind, form, None, title=f"New {kind.noun}")


@form_page
def edit(request: SignedIn, pk: int, kind: Kind) -> HttpResponse:
    """Change its words; who was slower is told."""
    register = visible(request, kind, pk)
    policies.check_can_change(register, request.user)
    form = forms.Edit.of_register(register, posted(request))
    if form.is_valid():
        with refusals_in(form):
            try:
                actions.edit(kind=kind.model, pk=pk, by=request.user, **form.content())
            except ConflictError as error:
                form.add_error(None, f"{error} What you wrote stands below.")
                form.data = {**request.POST.dict(), "revision": visible(request, kind, pk).revision}
                return _form(request, kind, form, register, title=f"Edit {register}")
            return redirect(register)
    return _form(request, kind, form, register, title=f"Edit {register}")


@form_page
def retire(request: SignedIn, pk: int, kind: Kind) -> HttpResponse:
    """Take it out of use."""
    register = visible(request, kind, pk)
    policies.check_can_retire(register, request.user, used_by=usage.uses(register))
    form = forms.Retire(posted(request))
    if form.is_valid():
        actions.retire(kind=kind.model, pk=pk, by=request.user, **form.cleaned_data)
        messages.success(request, f"{register} is retired.")
        return redirect(register)
    text = "New corrections cannot name it any more. Its versions stay on the record."
    return _sure(
        request, kind, form, register, title=f"Retire {register}", text=text, button="Retire it", danger=True
    )


@form_page
def redraft(request: SignedIn, pk: int, kind: Kind) -> HttpResponse:
    """Draft new versions of the corrections that were approved with an older one."""
    register = visible(request, kind, pk)
    policies.check_can_change(register, request.user)
    form = forms.Sure(posted(request))
    if form.is_valid():
        _tell(request, actions.redraft(register=register, by=request.user))
        return redirect(register)
    named = ", ".join(str(use) for use in outdated(register, by=request.user)) or "no correction"
    text = (
        f"A new version is drafted of {named}, with version {register.version} of {register}."
        " What is in force stays as it was approved until each draft is decided."
    )
    return _sure(
        request,
        kind,
        form,
        register,
        title="Draft new versions",
        text=text,
        button="Draft them",
        danger=False,
    )


def _begun(kind: Kind, form: forms.Words, request: SignedIn) -> Register:
    if kind.model is Segment:
        return actions.create_segment(by=request.user, **form.content())
    return actions.create_pattern_set(by=request.user, **form.content())


def _tell(request: SignedIn, made: actions.Redrafted) -> None:
    if made.drafts:
        names = ", ".join(str(draft) for draft in made.drafts)
        messages.success(request, f"Drafted: {names}. Nobody has been asked yet.")
    for name, reason in made.refused.items():
        messages.warning(request, f"{name} was left alone: {reason}")
    if not made.drafts and not made.refused:
        messages.info(request, "Nothing is behind: every correction in force names the newest version.")


def _form(
    request: SignedIn, kind: Kind, form: Form, register: Register | None, *, title: str
) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    shown = {"kind": kind, "form": form, "register": register, "title": title}
    return render(request, "segments/edit.html", shown, status=status)


def _sure(
    request: SignedIn,
    kind: Kind,
    form: Form,
    register: Register,
    *,
    title: str,
    text: str,
    button: str,
    danger: bool = False,
) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    words = {"title": title, "text": text, "button": button, "look": "danger" if danger else "primary"}
    shown = {"kind": kind, "form": form, "register": register, **words}
    return render(request, "segments/sure.html", shown, status=status)
