"""Steps that ask once more before they happen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from corrections.webhooks import actions, forms, policies
from corrections.webhooks.views.pages import endpoint_of, status_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django import forms as django_forms
    from django.http import HttpResponse

    from corrections.views.request import SignedIn


@dataclass(frozen=True)
class Step:
    """What is about to happen, in words; who may do it; what does it."""

    title: str
    text: str
    button: str
    done: str
    rule: Callable[..., None]
    act: Callable[..., Any]
    form: type[django_forms.Form] = forms.Sure
    kind: str = "primary"


STEPS = {
    "pause": Step(
        "Pause {}",
        "Nothing is sent to it until it is resumed. While it is waited for, no correction turns active"
        " without it, and those in force count as drifted.",
        "Pause it",
        "{} is paused.",
        policies.check_can_pause,
        actions.pause_endpoint,
        form=forms.Because,
    ),
    "resume": Step(
        "Resume {}",
        "The newest policy is sent to it at once.",
        "Resume it",
        "{} is sent to again.",
        policies.check_can_resume,
        actions.resume_endpoint,
    ),
    "require": Step(
        "Wait for {}",
        "From now on a correction is in force only when this gateway has acknowledged it. It cannot be probed"
        " from here: what it acknowledges is taken on its word.",
        "Wait for it",
        "Corrections wait for {} now.",
        policies.check_can_change,
        partial(actions.require_endpoint, required=True),
    ),
    "unrequire": Step(
        "Do not wait for {}",
        "Policies are still sent to it and its acknowledgements are shown, but corrections turn active and"
        " are lifted without it.",
        "Do not wait for it",
        "Corrections no longer wait for {}.",
        policies.check_can_change,
        partial(actions.require_endpoint, required=False),
    ),
    "remove": Step(
        "Remove {}",
        "Nothing is sent to it any more, its secrets are forgotten, and corrections no longer wait for it."
        " What it enforces now is not known from then on. Its name is not given again.",
        "Remove it",
        "{} is removed.",
        policies.check_can_change,
        actions.remove_endpoint,
        form=forms.Because,
        kind="danger",
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: SignedIn, pk: int, step: str) -> HttpResponse:
    """Say what is about to happen; do it when it is confirmed."""
    asked, endpoint = STEPS[step], endpoint_of(pk)
    asked.rule(endpoint, request.user)
    form = asked.form(request.POST if request.method == "POST" else None)
    if form.is_valid():
        asked.act(endpoint_id=pk, by=request.user, **form.cleaned_data)
        messages.success(request, asked.done.format(endpoint))
        return redirect("webhooks:detail", pk)
    context = {"step": asked, "title": asked.title.format(endpoint), "form": form, "endpoint": endpoint}
    return render(request, "webhooks/confirm.html", context, status=status_of(form))
