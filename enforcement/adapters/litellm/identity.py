"""Who asks, by LiteLLM's own record of the key; nothing that the caller sends is believed.

The key's metadata may hold ``{"irapp": {"user": …, "organisation": …, "use_cases": […], …}}``: what an
operator states there comes first. Otherwise the user, team and alias of the key speak.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from enforcement.adapters.litellm.ruling import RefusedError
from enforcement.decide import Attributes
from enforcement.reading import features_of, tools_offered, turns_of
from enforcement.refusals import error

DECLARED = "irapp-use-case"
_HASHED = re.compile("[0-9a-f]{64}")
_OUTPUT = ("max_completion_tokens", "max_tokens", "max_output_tokens")


def attributes(key: Any, body: Mapping[str, Any], *, endpoint: str, headers: Mapping[str, str]) -> Attributes:
    """Read off the key and the request what a policy may ask for.

    :param key: LiteLLM's ``UserAPIKeyAuth``.
    :raises RefusedError: no model is named, or a use case is declared that is not the key's.
    """
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise RefusedError(400, error("invalid_request", "The request names no model."))
    stated = _stated(key)
    turns = turns_of(body)
    return Attributes(
        user=_first(stated.get("user"), key.user_id),
        organisation=_first(stated.get("organisation"), key.org_id, key.team_id),
        key=_first(stated.get("key"), key.key_alias) or _hash(_first(key.token, key.api_key)),
        application=_first(stated.get("application"), key.team_alias),
        use_case=_use_case(stated, headers),
        region=_first(stated.get("region")),
        tier=_first(stated.get("tier")),
        platform=_first(stated.get("platform")),
        endpoint=endpoint,
        model=model,
        tools=tools_offered(body),
        features=features_of(body),
        stream=body.get("stream") is True,
        max_tokens=_number(body),
        body_bytes=_length(headers),
        turns=turns.user,
        tool_turns=turns.tool,
    )


def _stated(key: Any) -> Mapping[str, Any]:
    stated = (key.metadata or {}).get("irapp")
    return stated if isinstance(stated, Mapping) else {}


def _use_case(stated: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    declared = headers.get(DECLARED, "")
    if not declared:
        return _first(stated.get("use_case"))
    if declared not in (stated.get("use_cases") or ()):
        told = f"The use case {declared!r} is not registered for this key."
        raise RefusedError(400, error("invalid_request", told))
    return declared


def _first(*values: object) -> str:
    return next((value for value in values if isinstance(value, str) and value), "")


def _hash(key: str) -> str:
    """Name a key that has no name: LiteLLM's hash of it, and never the key itself."""
    return key if not key or _HASHED.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()


def _number(body: Mapping[str, Any]) -> int | None:
    found = [body[name] for name in _OUTPUT if type(body.get(name)) is int]
    return found[0] if found else None


def _length(headers: Mapping[str, str]) -> int:
    """Give the length of the body as the server enforces it; the door adds what a chunked one holds."""
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() else 0
