"""Who calls the API, and whether the token's scope covers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knox.auth import TokenAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission

from irapp.accounts.models import ApiToken

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class Session(SessionAuthentication):
    """The browser's session; its CSRF token is checked."""


class Token(TokenAuthentication):
    """``Authorization: Bearer …`` with a scoped token."""


class ScopeRequired(BasePermission):
    """Closed by default: a view says which scope each of its actions needs, or no token gets in.

    A view sets ``scopes = {"list": Scope.EVENTS_READ, …}`` by action name (or by lower-case method).
    A signed-in session needs no scope: what the person may do is decided by the policies.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Ask for an account, and for a token also for the scope."""
        if request.user is None or not request.user.is_authenticated:
            return False
        if not isinstance(request.auth, ApiToken):
            return True
        method = (request.method or "").lower()
        if not hasattr(view, method):
            return True  # nothing to permit: the view answers 405
        action = getattr(view, "action", None) or method
        return getattr(view, "scopes", {}).get(action) in request.auth.scopes
