"""What a caller has really sent, and what of it this door does not take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from enforcement import refusals
from enforcement.adapters.litellm.ruling import RefusedError
from enforcement.filter.spelling import misspelt

CHOOSING = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "model_list", "user_config")
"""Fields by which a caller could have another model answer than the one that was asked about."""
REWRITING = (
    "extra_body",
    "additional_drop_params",
    "drop_params",
    "allowed_openai_params",
    "prompt_id",
    "prompt_variables",
)
"""Fields by which LiteLLM would send another request than the one that was read and changed here."""


def headers_of(data: Mapping[str, Any]) -> Mapping[str, str]:
    """Check a request; give its headers, with the length of its body.

    :raises RefusedError: it could reach another model, or be read in another way, than is decided here.
    """
    sent = data.get("proxy_server_request") or {}
    body = sent.get("body")
    _check_choice(body or {})
    for each in (body or {}, data):
        _check_spelling(each)
    return _measured(
        {str(name).lower(): str(value) for name, value in (sent.get("headers") or {}).items()}, body
    )


def _check_choice(body: Mapping[str, Any]) -> None:
    for name in (*CHOOSING, *REWRITING):
        if name in body:
            why = "chooses models by itself" if name in CHOOSING else "sends only what it has read"
            told = f"{name}: this gateway {why}."
            raise RefusedError(400, refusals.error("invalid_request", told))


def _check_spelling(body: Mapping[str, Any]) -> None:
    """Refuse a name that the model's server could read as another one, which was not looked at here."""
    name = misspelt(body)
    if name is not None:
        told = f"The request body is not acceptable JSON: {name!r} differs from a name by case only."
        raise RefusedError(400, refusals.error("invalid_json", told))


def _measured(headers: Mapping[str, str], body: object) -> Mapping[str, str]:
    """A body that came in chunks has no length of its own, whatever it says: measure what was read."""
    if body is None or ("content-length" in headers and "transfer-encoding" not in headers):
        return headers
    return {**headers, "content-length": str(len(json.dumps(body, default=str)))}
