"""What views rely on: nobody gets behind the sign-in without an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from irapp.accounts.models import User


class SignedInRequest(HttpRequest):
    """A request behind the sign-in."""

    user: User
    htmx: HtmxDetails
