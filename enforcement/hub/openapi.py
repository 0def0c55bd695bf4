"""The description of the hub's interface, made from the structs that it parses."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from enforcement.hub.statuses import SeenReport
from enforcement.policy import Policy
from enforcement.report import GatewayReport, PolicyRef, Problem, TrafficBatch, TrafficRecord, TrafficTaken

JSON = "application/json"


class Status(msgspec.Struct, kw_only=True):
    """The newest policy here, and what each gateway said last."""

    policy: PolicyRef | None
    gateways: dict[str, SeenReport]


class TrafficPage(msgspec.Struct, kw_only=True):
    """Records, oldest first; ``lost`` of them were already gone when the reader came."""

    records: list[TrafficRecord]
    cursor: str
    lost: int


class Health(msgspec.Struct, kw_only=True):
    """Whether something needs an operator."""

    status: str
    policy: PolicyRef | None
    problems: list[Problem]


class ProblemDetails(msgspec.Struct, kw_only=True):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    version: int | msgspec.UnsetType = msgspec.UNSET
    missing: list[str] | msgspec.UnsetType = msgspec.UNSET


STRUCTS = (
    *(Policy, PolicyRef, GatewayReport, SeenReport, Status),
    *(TrafficBatch, TrafficRecord, TrafficTaken, TrafficPage, Health, ProblemDetails),
)


@cache
def document() -> dict[str, Any]:
    """Give the OpenAPI 3.1 document."""
    _, schemas = msgspec.json.schema_components(STRUCTS, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {"title": "irapp enforcement hub", "version": "1"},
        "paths": {
            "/v1/policy": {
                "get": _operation("Take the policy", Policy, query=("wait",), tag=True, also=(404,)),
                "put": _operation("Store a newer policy", PolicyRef, body=Policy, also=(409, 413, 422, 503)),
            },
            "/v1/status": {
                "get": _operation("Read what the gateways report", Status, query=("wait",), tag=True),
                "post": _operation("Report", None, body=GatewayReport, also=(413, 422)),
            },
            "/v1/traffic": {
                "get": _operation("Read recent traffic", TrafficPage, query=("after", "limit")),
                "post": _hand_in(),
            },
            "/v1/attachments/{digest}": _attachments(),
            "/healthz": {"get": _operation("Health", Health, is_open=True)},
            "/openapi.json": {"get": {"summary": "This document", "responses": {"200": _text("JSON")}}},
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _hand_in() -> dict[str, Any]:
    """Describe what takes traffic: all of it, or what of it can be read."""
    operation = _operation("Hand in traffic", None, body=TrafficBatch, also=(413, 422, 503))
    operation["responses"]["200"] = _content("Some of it was left out", TrafficTaken)
    return operation


def _attachments() -> dict[str, Any]:
    """Describe what is kept by content address; bodies are bytes, not structs."""
    take, look = (_operation(text, None, also=(404,)) for text in ("Take an attachment", "Is it here?"))
    bring = _operation("Bring an attachment; its bytes have to be what it is called", None, also=_BAD_BYTES)
    whole = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    for operation in (take, look):
        operation["responses"]["200"] = operation["responses"].pop("204")
    take["responses"]["200"] |= {"content": whole}
    bring["requestBody"] = {"required": True, "content": whole}
    name = {
        "name": "digest",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
    }
    return {"get": take, "head": look, "put": bring, "parameters": [name]}


_BAD_BYTES = (413, 422, 503)


def _operation(
    summary: str,
    answer: type | None,
    *,
    body: type | None = None,
    query: tuple[str, ...] = (),
    tag: bool = False,
    is_open: bool = False,
    also: tuple[int, ...] = (),
) -> dict[str, Any]:
    refusals = (*(() if is_open else (401, 403)), *((400,) if query else ()), *also)
    responses = {str(status): _content("Refused", ProblemDetails) for status in sorted(refusals)}
    operation: dict[str, Any] = {
        "summary": summary,
        "responses": {"200": _content("Done", answer)} if answer else {"204": _text("Done")},
        "parameters": [_parameter(name, "query", "integer") for name in query],
        **({} if is_open else {"security": [{"token": []}]}),
    }
    operation["responses"] |= responses
    if tag:
        operation["parameters"].append(_parameter("If-None-Match", "header", "string"))
        operation["responses"]["304"] = _text("Nothing new")
    if body:
        operation["requestBody"] = {"required": True, **_content("", body)}
    return operation


def _content(description: str, kind: type) -> dict[str, Any]:
    media = "application/problem+json" if kind is ProblemDetails else JSON
    content = {media: {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}}}
    return {**(_text(description) if description else {}), "content": content}


def _text(description: str) -> dict[str, str]:
    return {"description": description}


def _parameter(name: str, place: str, kind: str) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": {"type": kind}}
