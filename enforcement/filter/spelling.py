"""Members whose names differ by case only from those that decide: some servers read them all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

OF_BODIES = frozenset(
    {
        "model", "stream", "max_tokens", "max_completion_tokens", "max_output_tokens", "n", "best_of",
        "tools", "functions", "web_search_options", "mcp_servers", "response_format", "text",
        "store", "previous_response_id", "conversation", "logprobs", "top_logprobs", "include",
        "messages", "input", "prompt", "system", "instructions", "suffix", "prediction",
    }
)  # fmt: skip
"""What decides about a request, changes it, or is read by filters."""
_OF_TOOLS = frozenset({"type", "name", "function", "custom"})
_OF_ITEMS = frozenset({"role", "type", "content"})
_FOLDED = str.maketrans({"\u017f": "s", "\u212a": "k"})
"""The two letters beyond ASCII that are s and k to readers that ignore case."""


def misspelt(body: Mapping[str, object]) -> str | None:
    """Give the first such name in a request: its own, in its tools, in its conversation."""
    tools = (tool for field in ("tools", "functions", "mcp_servers") for tool in _objects(body.get(field)))
    items = (item for field in ("messages", "input") for item in _objects(body.get(field)))
    found = [
        *_other_case(body, OF_BODIES),
        *_among(tools, ("function", "custom"), _OF_TOOLS),
        *_among(items, ("content",), _OF_ITEMS),
    ]
    return next(iter(found), None)


def _among(
    holders: Iterator[dict[str, object]], inside: tuple[str, ...], known: frozenset[str]
) -> Iterator[str]:
    for holder in holders:
        inner = (each for name in inside for each in _objects(holder.get(name)))
        for one in (holder, *inner):
            yield from _other_case(one, known)


def _other_case(names: Iterable[str], known: frozenset[str]) -> Iterator[str]:
    return (name for name in names if name not in known and _folded(name) in known)


def _objects(value: object) -> Iterator[dict[str, object]]:
    return (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict))


def _folded(name: str) -> str:
    return name.translate(_FOLDED).lower()
