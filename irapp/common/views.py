"""Pages that belong to no app: how everything looks, and what went wrong."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views import defaults
from django.views.decorators.http import require_safe

from irapp.common import showcase

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

API = "/api/"
ERROR_TEXT = {
    HTTPStatus.FORBIDDEN: "You may not do this.",
    HTTPStatus.NOT_FOUND: "There is no such address.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something broke on our side. It was logged.",
}


@require_safe
def design_system(request: HttpRequest) -> HttpResponse:
    """Every component in every variant."""
    return render(request, "design_system.html", showcase.values(timezone.now()))


def not_permitted(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    return _answer(request, HTTPStatus.FORBIDDEN, lambda: defaults.permission_denied(request, exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    return _answer(request, HTTPStatus.NOT_FOUND, lambda: defaults.page_not_found(request, exception))


def broken(request: HttpRequest) -> HttpResponse:
    """Answer 500, with nothing that could break again."""
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, lambda: defaults.server_error(request))


def _answer(request: HttpRequest, status: HTTPStatus, page: Callable[[], HttpResponse]) -> HttpResponse:
    """Machines get problem details, people a page."""
    if not request.path.startswith(API):
        return page()
    body = {"type": "about:blank", "title": status.phrase, "status": status.value}
    body |= {"code": status.phrase.lower().replace(" ", "_"), "detail": ERROR_TEXT[status]}
    return JsonResponse(body, status=status, content_type="application/problem+json")
