"""The open objects of the API, described in OpenAPI by the very structs that check them."""

from __future__ import annotations

from typing import Any

import msgspec
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from enforcement import policy

_REF = "#/{name}"


def shape(kind: type[msgspec.Struct], *, without: tuple[str, ...] = (), **more: object) -> dict[str, Any]:
    """Give the JSON schema of a struct, with what it refers to written out."""
    (schema,), components = msgspec.json.schema_components([kind], ref_template=_REF)
    whole: dict[str, Any] = _inlined(schema, components)
    whole["properties"] = {
        name: said for name, said in whole["properties"].items() if name not in without
    } | more
    whole["required"] = [name for name in whole.get("required", []) if name not in without]
    if not whole["required"]:
        del whole["required"]
    return whole


def _inlined(schema: Any, components: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inlined(each, components) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(components[schema["$ref"].removeprefix("#/")], components)
    return {name: _inlined(each, components) for name, each in schema.items()}


def _of_kind(name: str, kind: type[msgspec.Struct]) -> dict[str, Any]:
    more: dict[str, object] = {}
    if name in {"input_filter", "output_filter"}:
        frozen = shape(policy.PatternsRef)
        more["patterns"] = {"oneOf": [{"type": "string", "description": "PAT-0001 or PAT-0001.3"}, frozen]}
    return shape(kind, without=("kind",), **more) | {"title": name}


@extend_schema_field({"oneOf": [_of_kind(name, kind) for name, kind in policy.EFFECTS.items()]})
class Parameters(serializers.DictField):
    """What the kind asks for."""


@extend_schema_field(shape(policy.Functionality))
class Functionality(serializers.DictField):
    """On what."""


@extend_schema_field(
    shape(
        policy.Users,
        segments={
            "type": "array",
            "items": {"type": "string"},
            "description": "SEG-0003, or SEG-0003.2 for a certain version; frozen to its lists when drafted.",
        },
    )
)
class Users(serializers.DictField):
    """For whom."""
