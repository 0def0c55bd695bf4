"""Members whose names differ by case only from those that decide: some servers read them all the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_OF_TOOLS = frozenset({"type", "name", "function", "custom"})
_OF_ITEMS = frozenset({"role", "type", "content"})
_FOLDED = str.maketrans({"\u017f": "s", "\u212a": "k"})
"""The two letters beyond ASCII that are s and k to readers that ignore case."""


def misspelt(body: Mapping[str, object]) -> str | None:
    """Give the first such name in the tools and the conversation of a request."""
    tools = (tool for field in ("tools", "functions", "mcp_servers") for tool in _objects(body.get(field)))
    items = (item for field in ("messages", "input") for item in _objects(body.get(field)))
    found = [*_among(tools, ("function", "custom"), _OF_TOOLS), *_among(items, ("content",), _OF_ITEMS)]
    return next(iter(found), None)


def _among(
    holders: Iterator[dict[str, object]], inside: tuple[str, ...], known: frozenset[str]
) -> Iterator[str]:
    for holder in holders:
        inner = (each for name in inside for each in _objects(holder.get(name)))
        for one in (holder, *inner):
            yield from (name for name in one if name not in known and _folded(name) in known)


def _objects(value: object) -> Iterator[dict[str, object]]:
    return (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict))


def _folded(name: str) -> str:
    return name.translate(_FOLDED).lower()
