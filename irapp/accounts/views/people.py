"""Everybody's accounts, for administrators."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from irapp.accounts import actions, forms, policies, selectors
from irapp.accounts.models import User

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from irapp.accounts.http import SignedInRequest

WRONG = HTTPStatus.UNPROCESSABLE_ENTITY


@require_safe
def index(request: SignedInRequest) -> HttpResponse:
    """Who there is."""
    policies.check_can_see_people(request.user)
    may_add = request.user.manages_people
    return render(request, "accounts/people.html", {"people": selectors.people(), "may_add": may_add})


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: SignedInRequest) -> HttpResponse:
    """Create a person, who then needs roles and a link."""
    policies.check_can_manage_people(request.user)
    form = forms.CreatePerson(request.POST or None)
    if form.is_valid():
        with forms.refusals_in(form):
            person = actions.add_person(by=request.user, **form.cleaned_data)
            messages.success(request, f"{person} has an account. Give roles and a link to choose a password.")
            return redirect("accounts:person", person.pk)
    return render(request, "accounts/create.html", {"form": form}, status=WRONG if form.errors else None)


@require_safe
def person(request: SignedInRequest, pk: int) -> HttpResponse:
    """One person: roles now and once, and what an administrator may do about the account."""
    policies.check_can_see_people(request.user)
    shown = get_object_or_404(User, pk=pk)
    return _person(request, shown)


@never_cache
@require_POST
def invite(request: SignedInRequest, pk: int) -> HttpResponse:
    """Make a link; it is on this answer and nowhere else."""
    policies.check_can_manage_people(request.user)
    shown = get_object_or_404(User, pk=pk)
    invitation = actions.invite(user_id=pk, by=request.user)
    link = request.build_absolute_uri(reverse("accounts:welcome", kwargs=invitation._asdict()))
    return render(request, "accounts/invited.html", {"person": shown, "link": link})


@require_POST
def grant(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give a role."""
    policies.check_can_manage_people(request.user)
    shown = get_object_or_404(User, pk=pk)
    form = forms.GrantRole(request.POST, roles=selectors.roles_to_give(shown))
    if not form.is_valid():
        return _person(request, shown, form)
    actions.grant_role(user_id=pk, by=request.user, **form.cleaned_data)
    return _done(request, pk, f"{shown} holds one role more, from now on.")


@require_POST
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a role."""
    shown = actions.revoke_role(
        user_id=pk, role=request.POST.get("role", "").replace("\x00", ""), by=request.user
    )
    return _done(request, pk, f"The role is taken from {shown}, at once.")


@require_POST
def deactivate(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stop an account."""
    return _change(
        request,
        pk,
        partial(actions.set_active, active=False),
        "{} can no longer sign in; sessions and tokens have ended.",
    )


@require_POST
def reactivate(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let an account in again."""
    return _change(
        request,
        pk,
        partial(actions.set_active, active=True),
        "{} can sign in again, with the roles from before.",
    )


@require_POST
def unlock(request: SignedInRequest, pk: int) -> HttpResponse:
    """Forget failed sign-ins."""
    return _change(request, pk, actions.unlock, "{} can try to sign in again.")


def _change(request: SignedInRequest, pk: int, action: Callable[..., User], words: str) -> HttpResponse:
    return _done(request, pk, words.format(action(user_id=pk, by=request.user)))


def _done(request: SignedInRequest, pk: int, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("accounts:person", pk)


def _person(request: SignedInRequest, shown: User, form: forms.GrantRole | None = None) -> HttpResponse:
    context = {
        "person": shown,
        "roles": selectors.roles_of(shown),
        "former": selectors.former_roles_of(shown),
        "tokens": selectors.living(shown).count(),
        "locked": bool(selectors.locked_out([shown.username])),
        "form": form or forms.GrantRole(roles=selectors.roles_to_give(shown)),
        "why_not": policies.why_not(policies.check_can_change, request.user, shown),
    }
    return render(request, "accounts/person.html", context, status=WRONG if form else None)
