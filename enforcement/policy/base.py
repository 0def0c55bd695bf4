"""What every part of the policy is made of: strict structs, names, and the one error."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

import msgspec
from msgspec import Meta

ENDPOINTS = {
    "chat.completions": "/v1/chat/completions",
    "completions": "/v1/completions",
    "responses": "/v1/responses",
    "embeddings": "/v1/embeddings",
    "messages": "/v1/messages",
}
"""The endpoints a gateway lets through, by the name that scopes use. Any other path is not served."""

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\s\x00-\x1f;=,\"\\|]+$")]
"""A subject, model, application or use case: no white space, quotes, ``;``, ``=``, ``,`` or ``|``."""
Text: TypeAlias = Annotated[str, Meta(max_length=500)]
Positive: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Window: TypeAlias = Annotated[int, Meta(ge=1, le=86_400)]
Percent: TypeAlias = Annotated[int, Meta(ge=1, le=100)]
Endpoint: TypeAlias = Literal["chat.completions", "completions", "responses", "embeddings", "messages"]
Feature: TypeAlias = Literal[
    "streaming",
    "web_search",
    "code_execution",
    "file_search",
    "computer_use",
    "mcp",
    "memory",
    "logprobs",
]
FEATURES: tuple[Feature, ...] = get_args(Feature)
"""What a request can use besides its tools by name; see :mod:`enforcement.reading` for what shows each."""
Per: TypeAlias = Literal["user", "organisation", "key", "all"]
Digest: TypeAlias = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$")]
Reference: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Z]{2,8}-[0-9]{1,10}$")]


class PolicyError(Exception):
    """The document cannot be trusted or understood; the text names the field or the reason."""


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Frozen, and closed: an unknown field is an error."""
