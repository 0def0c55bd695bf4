"""The hot-fix: other instructions for the model, in the words of each API."""

from __future__ import annotations

from typing import Any

from enforcement import policy

Json = dict[str, Any]
_INSTRUCTING = ("system", "developer")


class NoPlaceError(Exception):
    """The request has no place for instructions that can be read."""


def instructed(body: Json, effect: policy.SystemPrompt, *, endpoint: str) -> Json:
    """Give the request with the instructions that the correction wants.

    :raises NoPlaceError: a prompt of token numbers has none.
    """
    if endpoint == "chat.completions":
        return {**body, "messages": _chat(_list(body.get("messages")), effect)}
    if endpoint == "responses":
        return _responses(body, effect)
    if endpoint == "messages":
        return {**body, "system": _system(body.get("system"), effect)}
    return {**body, "prompt": _prompt(body.get("prompt"), effect)} if endpoint == "completions" else body


def _chat(messages: list[Any], effect: policy.SystemPrompt) -> list[Any]:
    told = [number for number, message in enumerate(messages) if _instructs(message)]
    if effect.position == "replace":
        rest = [message for message in messages if not _instructs(message)]
        role = messages[told[0]]["role"] if told else "system"
        return [{"role": role, "content": effect.text}, *rest]
    if not told:
        return [{"role": "system", "content": effect.text}, *messages]
    number = told[0] if effect.position == "prepend" else told[-1]
    message = messages[number]
    changed = {**message, "content": _joined(message.get("content"), effect)}
    return [*messages[:number], changed, *messages[number + 1 :]]


def _responses(body: Json, effect: policy.SystemPrompt) -> Json:
    items = body.get("input")
    if effect.position == "replace":
        if isinstance(items, list):
            items = [item for item in items if not _instructs(item)]
        return {**body, "instructions": effect.text, **({"input": items} if "input" in body else {})}
    return {**body, "instructions": _joined(body.get("instructions"), effect)}


def _system(system: Any, effect: policy.SystemPrompt) -> Any:
    return effect.text if effect.position == "replace" else _joined(system, effect)


def _prompt(prompt: Any, effect: policy.SystemPrompt) -> Any:
    """A bare prompt knows no instructions: they stand before it, whatever the position."""
    if isinstance(prompt, str) or prompt is None:
        return f"{effect.text}\n\n{prompt or ''}"
    if isinstance(prompt, list) and all(isinstance(each, str) for each in prompt):
        return [f"{effect.text}\n\n{each}" for each in prompt]
    raise NoPlaceError


def _joined(content: Any, effect: policy.SystemPrompt) -> Any:
    first = effect.position == "prepend"
    if isinstance(content, list):
        part = {"type": "text", "text": effect.text}
        return [part, *content] if first else [*content, part]
    if not content:
        return effect.text
    return f"{effect.text}\n\n{content}" if first else f"{content}\n\n{effect.text}"


def _instructs(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") in _INSTRUCTING


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
