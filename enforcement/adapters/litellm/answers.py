"""Answers in one piece, looked into by the content filter's own functions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import BaseModel

from enforcement import refusals
from enforcement.adapters.litellm.ruling import RefusedError
from enforcement.filter.answers import reviewed

if TYPE_CHECKING:
    from enforcement.adapters.litellm.passing import Passage

LARGE = 64 * 1024
"""From so many bytes on other requests do not wait meanwhile."""
_HIDDEN = "_hidden_params"
_SAID = ("choices", "output", "content", "text")


async def looked_into(response: Any, passage: Passage) -> dict[str, Any] | None:
    """Give the answer that goes out in place of this one; nothing where it goes out as it is.

    :raises RefusedError: it may not go out, and has no form of its own for an end by a filter.
    """
    guards = passage.law.guards(passage.ruling)
    if not guards:
        return None
    raw = orjson.dumps(body_of(response), default=str)
    if len(raw) > LARGE:
        answer = await asyncio.to_thread(reviewed, raw, guards, passage.findings)
    else:
        answer = reviewed(raw, guards, passage.findings)
    passage.blocked = answer.blocked
    if answer.refused:
        raise passage.law.refused(answer.blocked or "")
    return None if answer.raw is raw else {**orjson.loads(answer.raw), _HIDDEN: _hidden(response)}


def says_something(response: object) -> bool:
    """Tell whether it is an answer of a model."""
    if isinstance(response, Mapping):
        return any(name in response for name in _SAID)
    return any(hasattr(response, name) for name in _SAID)


def body_of(response: object) -> dict[str, Any]:
    """Give an answer as JSON.

    :raises RefusedError: nobody knows how to look into it.
    """
    if isinstance(response, BaseModel):
        return response.model_dump(mode="json", exclude_none=True)
    if isinstance(response, Mapping):
        return {name: value for name, value in response.items() if name != _HIDDEN}
    raise RefusedError(503, refusals.FAILED)


def _hidden(response: object) -> object:
    """Give what LiteLLM knows about an answer and makes headers of."""
    if isinstance(response, Mapping):
        return response.get(_HIDDEN)
    return getattr(response, _HIDDEN, None)
