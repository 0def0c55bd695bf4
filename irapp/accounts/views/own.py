"""One's own account: roles, password, tokens."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth import views as auth
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from irapp.accounts import actions, forms, selectors

if TYPE_CHECKING:
    from django.http import HttpResponse

    from irapp.accounts.http import SignedInRequest


@require_safe
def profile(request: SignedInRequest) -> HttpResponse:
    """Who I am here, and what works in my name."""
    return _profile(request, forms.CreateToken())


@never_cache
@require_POST
def create_token(request: SignedInRequest) -> HttpResponse:
    """Make a token; its secret is on this answer and nowhere else."""
    form = forms.CreateToken(request.POST)
    if form.is_valid():
        with forms.refusals_in(form):
            token, secret = actions.create_token(by=request.user, **form.cleaned_data)
            return render(request, "accounts/token.html", {"token": token, "secret": secret})
    return _profile(request, form)


@require_POST
def revoke_token(request: SignedInRequest) -> HttpResponse:
    """End a token."""
    actions.revoke_token(token_key=request.POST.get("key", "").replace("\x00", ""), by=request.user)
    messages.success(request, "The token is revoked. Whatever uses it is refused from now on.")
    return redirect("accounts:profile")


class ChangePassword(auth.PasswordChangeView):
    """A new password, for whoever knows the present one."""

    form_class = forms.ChangePassword
    template_name = "accounts/password.html"
    success_url = reverse_lazy("accounts:profile")

    def form_valid(self, form: Any) -> HttpResponse:
        """Say so; other sessions of this account end."""
        messages.success(self.request, "Your password is changed. Other sessions of yours are signed out.")
        return super().form_valid(form)


class Welcome(auth.PasswordResetConfirmView):
    """Where an invited person chooses a password, once."""

    form_class = forms.ChoosePassword
    template_name = "registration/welcome.html"
    success_url = reverse_lazy("login")


def _profile(request: SignedInRequest, form: forms.CreateToken) -> HttpResponse:
    context = {
        "form": form,
        "roles": selectors.roles_of(request.user),
        "tokens": selectors.tokens_of(request.user),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "accounts/profile.html", context, status=status)
