"""How the API says no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler

from irapp.common.errors import DomainError
from irapp.common.http import STATUS

if TYPE_CHECKING:
    from collections.abc import Mapping


def problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer every refusal as problem details (RFC 9457) with a stable ``code``."""
    if isinstance(error, DomainError):
        status = STATUS[type(error)]
        body: dict[str, object] = {"type": "about:blank", "title": status.phrase, "status": status.value}
        body |= {"detail": str(error), "code": error.code}
        if error.field:
            body["field"] = error.field
        if error.details:
            body["details"] = error.details
        return Response(body, status=status, content_type="application/problem+json")
    response = exception_handler(error, dict(context))
    if response is not None and isinstance(error, APIException):
        response.data = {
            "type": "about:blank",
            "title": error.default_detail,
            "status": response.status_code,
            "code": error.default_code,
            "detail": response.data,
        }
        response.content_type = "application/problem+json"
    return response
