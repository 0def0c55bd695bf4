"""A page that lists what the API offers, read from its own schema."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

VERBS = ("get", "post", "put", "patch", "delete")
TONES = {"get": "info", "post": "ok", "put": "warn", "patch": "warn", "delete": "danger"}


@dataclass(frozen=True)
class Field:
    """A parameter or a part of the body."""

    name: str
    where: str
    kind: str
    required: bool
    text: str


@dataclass(frozen=True)
class Operation:
    """One call."""

    verb: str
    tone: str
    path: str
    text: str
    fields: list[Field]


@require_safe
def operations(request: HttpRequest) -> HttpResponse:
    """Every call with what it takes."""
    return render(request, "api/operations.html", {"groups": _groups()})


@lru_cache(maxsize=1)
def _groups() -> list[tuple[str, list[Operation]]]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    groups: dict[str, list[Operation]] = {}
    for path, item in sorted(schema["paths"].items()):
        for verb in VERBS:
            if verb in item:
                call = _operation(schema, path, verb, item[verb])
                groups.setdefault(item[verb].get("tags", ["other"])[0], []).append(call)
    return sorted(groups.items())


def _operation(schema: dict[str, Any], path: str, verb: str, call: dict[str, Any]) -> Operation:
    text = call.get("description", call.get("summary", ""))
    return Operation(verb.upper(), TONES[verb], path, text, [*_parameters(call), *_body(schema, call)])


def _parameters(call: dict[str, Any]) -> list[Field]:
    return [
        Field(
            name=one["name"],
            where=one["in"],
            kind=_kind(one["schema"]),
            required=one.get("required", False),
            text=one.get("description", ""),
        )
        for one in call.get("parameters", [])
    ]


def _body(schema: dict[str, Any], call: dict[str, Any]) -> list[Field]:
    content = call.get("requestBody", {}).get("content", {}).get("application/json", {})
    shape = _resolved(schema, content.get("schema", {}))
    required = shape.get("required", [])
    return [
        Field(name, "body", _kind(_resolved(schema, one)), name in required, one.get("description", ""))
        for name, one in shape.get("properties", {}).items()
    ]


def _resolved(schema: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    name = shape.get("$ref", "").rpartition("/")[2]
    return schema["components"]["schemas"].get(name, {}) if name else shape


def _kind(shape: dict[str, Any]) -> str:
    if "enum" in shape:
        return " | ".join(str(value) for value in shape["enum"] if value not in (None, ""))
    kind = shape.get("type", "object")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{words} ({shape['format']})" if "format" in shape else words
