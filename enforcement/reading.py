"""What a request asks for, read off its parsed body: tools, features, turns.

The one definition that content filter, adapters, probes and tests share. The gateway's script
(``enforcement/envoy/lua``) says the same of tools and features in Lua and is tested against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from enforcement.policy import FEATURES

HIDDEN = 1_000_000_000
"""What a conversation counts for that the model remembers and the request does not show."""

OUTPUT_FIELDS = {
    "chat.completions": ("max_completion_tokens", "max_tokens"),
    "completions": ("max_tokens",),
    "responses": ("max_output_tokens",),
    "messages": ("max_tokens",),
}
"""How an endpoint calls the most that an answer may take; the usual name first. Embeddings have no output."""

_BY_TOOL = {
    "web_search": "web_search",
    "code_interpreter": "code_execution",
    "code_execution": "code_execution",
    "file_search": "file_search",
    "computer": "computer_use",
    "mcp": "mcp",
    "memory": "memory",
}
"""How the type of a tool begins, and the feature that it is."""
_BY_FIELD = {
    "stream": "streaming",
    "web_search_options": "web_search",
    "mcp_servers": "mcp",
    "store": "memory",
    "previous_response_id": "memory",
    "conversation": "memory",
    "logprobs": "logprobs",
    "top_logprobs": "logprobs",
}
"""A field that is there and neither null, false, zero, nor an empty text or list."""
_RESULTS = ("tool_result", "mcp_call")
"""Types of results of tools, besides all that end in ``_call_output``."""


class Turns(NamedTuple):
    """How often the user spoke in a conversation, and how many results of tools it holds."""

    user: int
    tool: int


def tools_offered(body: Mapping[str, object]) -> tuple[str, ...]:
    """Name the tools of a request: every name under which a model could know them."""
    tools: list[str] = []
    for field in ("tools", "functions", "mcp_servers"):
        for tool in _list(body.get(field)):
            tools.extend(_tool_names(tool))
    if _list(body.get("mcp_servers")):
        tools.append("mcp")
    if body.get("web_search_options") is not None:
        tools.append("web_search")
    return tuple(tools)


def features_of(body: Mapping[str, object]) -> tuple[str, ...]:
    """Give the features that a request uses, in the order of :data:`enforcement.policy.FEATURES`."""
    used = {*_by_field(body), *_by_tool(_types(body.get("tools")))}
    if _asks_for_logprobs(body):
        used.add("logprobs")
    return tuple(name for name in FEATURES if name in used)


def turns_of(body: Mapping[str, object]) -> Turns:
    """Count the turns of a conversation; a request that carries none is one turn of its user.

    A model reads ``messages`` or ``input``; of a request that has both, the longer one counts.
    """
    said = [item for item in _list(body.get("input")) if isinstance(item, dict)]
    remembered = any(body.get(name) for name in ("previous_response_id", "conversation"))
    if remembered or any(_refers(item) for item in said):
        return Turns(HIDDEN, HIDDEN)
    messages = [item for item in _list(body.get("messages")) if isinstance(item, dict)]
    found = [[_turn(item) for item in items] for items in (messages, said)]
    return Turns(
        max(1, *(sum(turn.user for turn in turns) for turns in found)),
        max(sum(turn.tool for turn in turns) for turns in found),
    )


def _refers(item: dict[str, object]) -> bool:
    """Tell whether an item stands for one that the server keeps; its type may be left out."""
    if item.get("type") is None:
        return item.get("id") is not None and item.get("content") is None
    return item["type"] == "item_reference"


def _is_result(item: dict[str, object]) -> bool:
    kind = item.get("type")
    return isinstance(kind, str) and (kind in _RESULTS or kind.endswith("_call_output"))


def _turn(item: dict[str, object]) -> Turns:
    parts = [part for part in _list(item.get("content")) if isinstance(part, dict)]
    results = sum(_is_result(part) for part in parts)
    if item.get("role") in ("tool", "function") or _is_result(item):
        return Turns(0, 1)
    spoken = not parts or results < len(parts)
    return Turns(int(item.get("role") == "user" and spoken), results)


def _by_field(body: Mapping[str, object]) -> Iterator[str]:
    return (feature for field, feature in _BY_FIELD.items() if _is_used(body.get(field)))


def _asks_for_logprobs(body: Mapping[str, object]) -> bool:
    """Zero is a number of alternatives: the token's own comes all the same. ``include`` may ask too."""
    value = body.get("logprobs")
    included = (each for each in _list(body.get("include")) if isinstance(each, str))
    counted = isinstance(value, int | float) and not isinstance(value, bool)
    return counted or any(each.endswith("logprobs") for each in included)


def _is_used(value: object) -> bool:
    """An empty object asks for a feature with its defaults; nothing else that is empty does."""
    return value == {} or bool(value)


def _by_tool(types: Iterable[str]) -> Iterator[str]:
    return (feature for kind in types for start, feature in _BY_TOOL.items() if kind.startswith(start))


def _types(tools: object) -> Iterator[str]:
    for tool in _list(tools):
        if isinstance(tool, dict) and isinstance(tool.get("type"), str):
            yield tool["type"]


def _tool_names(tool: object) -> list[str]:
    if not isinstance(tool, dict):
        return ["unnamed"]
    inner = [tool.get("function"), tool.get("custom")]
    kind = [tool.get("type")] if tool.get("type") not in ("function", "custom") else []
    names = [*kind, tool.get("name"), *(one.get("name") for one in inner if isinstance(one, dict))]
    return [name for name in names if isinstance(name, str)] or ["unnamed"]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
