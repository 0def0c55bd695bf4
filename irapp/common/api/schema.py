"""What the schema says of every call: how it is authenticated, how it refuses, that it may be repeated."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from irapp.common.api.idempotency import Idempotent

PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457). `code` is stable; `detail` is for people.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "field": {"type": "string", "description": "The input that is wrong."},
        "errors": {"type": "object", "description": "Every input that is wrong, with what is wrong."},
        "details": {"type": "object", "description": "Further facts, for example unmet conditions."},
    },
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "Repeat a call with the same key and body after a lost answer: it is carried out once.",
}
REFUSAL = {
    "description": "Refused.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class Schema(AutoSchema):
    """The schema of one operation, with what all have in common."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        """Add the refusals, and the key where a call takes one."""
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        operation["responses"].setdefault("default", REFUSAL)
        if isinstance(self.view, Idempotent) and self.method == "POST":
            operation["parameters"] = [*operation.get("parameters", []), KEY]
        return operation


def add_problem(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Describe the body of refusals once."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    return result


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """``Authorization: Bearer …``."""

    target_class = "irapp.accounts.api_auth.Token"
    name = "token"

    def get_security_definition(self, _auto_schema: AutoSchema) -> dict[str, str]:
        """Describe it."""
        return {"type": "http", "scheme": "bearer", "description": "A scoped token, made on one's profile."}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The browser's session."""

    target_class = "irapp.accounts.api_auth.Session"
    name = "session"

    def get_security_definition(self, _auto_schema: AutoSchema) -> dict[str, str]:
        """Describe it."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
