"""How the API says no: problem details (RFC 9457), always, with a ``code`` that does not change."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from irapp.common.errors import DomainError
from irapp.common.http import STATUS

MEDIA_TYPE = "application/problem+json"


def body(status: int, code: str, detail: str) -> dict[str, object]:
    """Give the members that every problem has."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}


def problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer a refusal; None for what nobody anticipated, which stays a 500 that is seen and mended."""
    if isinstance(error, DomainError):
        return _answer(_refused(error))
    response = exception_handler(error, dict(context))
    if response is None:
        return None
    response.data = _described(error, response.status_code, response.data)
    response.content_type = MEDIA_TYPE
    return response


def _refused(error: DomainError) -> dict[str, object]:
    said = body(STATUS[type(error)], error.code, str(error))
    if error.field:
        said["field"] = error.field
    if error.details:
        said["details"] = error.details
    return said


def _answer(said: dict[str, object]) -> Response:
    return Response(said, status=said["status"], content_type=MEDIA_TYPE)  # type: ignore[arg-type]


def _described(error: Exception, status: int, data: Any) -> dict[str, object]:
    if isinstance(error, ValidationError):
        path, first = _first(data)
        said = body(status, "invalid", f"{path}: {first}" if path else str(first))
        return said | {"errors": data if isinstance(data, dict) else {"": data}}
    if isinstance(error, APIException):
        return body(status, str(error.default_code), str(error.detail))
    # Django's own Http404 and PermissionDenied
    return body(status, HTTPStatus(status).name.lower(), str(data.get("detail", "")))


def _first(data: Any, path: str = "") -> tuple[str, ErrorDetail | str]:
    """Give the first thing that is wrong and the path of its field."""
    if isinstance(data, dict):
        name, value = next(iter(data.items()))
        own = "" if name == "non_field_errors" else str(name)
        return _first(value, f"{path}.{own}".strip("."))
    if isinstance(data, list):
        wrong = [(number, one) for number, one in enumerate(data) if one]
        number, one = wrong[0] if wrong else (0, "")
        return _first(one, f"{path}[{number}]" if isinstance(one, dict) else path)
    return path, data
