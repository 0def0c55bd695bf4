"""The one place that knows how a refusal looks in HTTP."""

from __future__ import annotations

import time
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from django.contrib.auth import SESSION_KEY
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject

from irapp.common.errors import ConflictError, DomainError, InvalidError, NotPermittedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

log = structlog.get_logger("irapp.http")
STATUS: dict[type[DomainError], HTTPStatus] = {
    NotPermittedError: HTTPStatus.FORBIDDEN,
    ConflictError: HTTPStatus.CONFLICT,
    InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
}


class DomainErrorMiddleware:
    """Show a refusal that a view did not handle itself, with its status and its reason."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer anticipated refusals only; anything else stays a 500 that is seen and mended."""
        if not isinstance(exception, DomainError):
            return None
        return refusal(request, exception)


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Render the refusal as a page, or as a notice where a fragment was asked for."""
    template = "errors/refusal.html"
    if getattr(request, "htmx", False):
        template += "#notice"
    return render(request, template, {"error": error}, status=STATUS[type(error)])


class RequestIdMiddleware:
    """Give each request an id of our own; it goes into logs, events and the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex
        started = time.monotonic()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            _log(request, response, round((time.monotonic() - started) * 1000, 1))
        response["X-Request-Id"] = request_id
        return response


def _account(request: HttpRequest) -> str | None:
    """Say who it was without asking the database: the API knows, else the session does."""
    user = getattr(request, "user", None)
    if user is not None and not isinstance(user, SimpleLazyObject):
        return str(user.pk)
    return request.session.get(SESSION_KEY) if hasattr(request, "session") else None


def _log(request: HttpRequest, response: HttpResponse, took_ms: float) -> None:
    """Say what was asked by its route: a path may hold a secret, as the link of an invitation does."""
    match = request.resolver_match
    log.info(
        "http.request",
        method=request.method,
        route=match.route if match else "",
        record=match.kwargs.get("pk") if match else None,
        status=response.status_code,
        account=_account(request),
        took_ms=took_ms,
    )
