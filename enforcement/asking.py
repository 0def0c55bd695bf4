"""Writing a request that has given attributes: what probes and generated tests send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import orjson

from enforcement.decide import Attributes
from enforcement.reading import OUTPUT_FIELDS, features_of, tools_offered, turns_of

_Item = dict[str, object]
_BY_FIELD: dict[str, _Item] = {
    "streaming": {"stream": True},
    "web_search": {"web_search_options": {}},
    "memory": {"store": True},
    "logprobs": {"logprobs": True},
}
_BY_TOOL: dict[str, _Item] = {
    "code_execution": {"type": "code_interpreter"},
    "file_search": {"type": "file_search"},
    "computer_use": {"type": "computer_use_preview"},
    "mcp": {"type": "mcp", "name": "probe"},
}


def request_body(attributes: Attributes, *, prompt: str = "probe") -> bytes:
    """Write the request. It is padded to ``body_bytes`` where it would be shorter."""
    raw = orjson.dumps(_body(attributes, prompt))
    missing = attributes.body_bytes - len(raw)
    return raw[:-1] + b" " * missing + b"}" if missing > 0 else raw


def as_sent(attributes: Attributes, *, prompt: str = "probe") -> Attributes:
    """Give the attributes that the written request really has: an endpoint may not know all of them."""
    raw = request_body(attributes, prompt=prompt)
    body = orjson.loads(raw)
    turns = turns_of(body)
    return replace(
        attributes,
        tools=tools_offered(body),
        features=features_of(body),
        stream=body.get("stream") is True,
        max_tokens=body.get(_output_field(attributes)),
        body_bytes=len(raw),
        turns=turns.user,
        tool_turns=turns.tool,
    )


def _output_field(attributes: Attributes) -> str:
    return OUTPUT_FIELDS.get(attributes.endpoint, ("",))[0]


def _body(attributes: Attributes, prompt: str) -> _Item:
    body: _Item = {"model": attributes.model, **_CONVERSATION[attributes.endpoint](attributes, prompt)}
    for feature in attributes.features:
        body |= _BY_FIELD.get(feature, {})
    if attributes.stream:
        body["stream"] = True
    if attributes.max_tokens is not None and attributes.endpoint in OUTPUT_FIELDS:
        body[_output_field(attributes)] = attributes.max_tokens
    tools = list(_tools(attributes, body))
    return {**body, "tools": tools} if tools else body


def _tools(attributes: Attributes, body: _Item) -> Iterator[_Item]:
    hosted = [_BY_TOOL[name] for name in attributes.features if name in _BY_TOOL]
    yield from hosted
    known = {*tools_offered({**body, "tools": hosted})}
    for name in attributes.tools:
        if name not in known:
            yield _function(name, nested=attributes.endpoint == "chat.completions")


def _function(name: str, *, nested: bool) -> _Item:
    return {"type": "function", "function": {"name": name}} if nested else {"type": "function", "name": name}


def _chat(attributes: Attributes, prompt: str) -> _Item:
    results: list[_Item] = [
        {"role": "tool", "tool_call_id": f"call-{n}", "content": "-"}
        for n in range(attributes.tool_turns or 0)
    ]
    return {"messages": [*_earlier(attributes), *results, {"role": "user", "content": prompt}]}


def _responses(attributes: Attributes, prompt: str) -> _Item:
    results: list[_Item] = [
        {"type": "function_call_output", "call_id": f"call-{n}", "output": "-"}
        for n in range(attributes.tool_turns or 0)
    ]
    return {"input": [*_earlier(attributes), *results, {"role": "user", "content": prompt}]}


def _messages(attributes: Attributes, prompt: str) -> _Item:
    results: list[_Item] = [
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"call-{n}"}]}
        for n in range(attributes.tool_turns or 0)
    ]
    return {"messages": [*_earlier(attributes), *results, {"role": "user", "content": prompt}]}


def _earlier(attributes: Attributes) -> Iterator[_Item]:
    for _ in range((attributes.turns or 1) - 1):
        yield {"role": "user", "content": "-"}
        yield {"role": "assistant", "content": "-"}


_CONVERSATION: dict[str, Callable[[Attributes, str], _Item]] = {
    "chat.completions": _chat,
    "completions": lambda _attributes, prompt: {"prompt": prompt},
    "responses": _responses,
    "embeddings": lambda _attributes, prompt: {"input": prompt},
    "messages": _messages,
}
