"""Where text stands in the JSON of requests and answers: everywhere but in members that are no content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from enforcement.filter.guards import Place

NO_CONTENT = frozenset(
    {
        "id", "object", "type", "role", "model", "created", "index", "status", "format", "usage",
        "system_fingerprint", "service_tier", "finish_reason", "stop_reason", "stop_sequence",
        "call_id", "item_id",
        "tool_call_id", "tool_use_id", "previous_response_id", "instructions", "tools", "tool_choice",
        "metadata", "signature", "encrypted_content", "obfuscation", "logprobs", "cache_control",
        "safety_identifier",
        "prompt_cache_key", "user", "file_id", "filename", "mime_type", "media_type", "detail",
        "incomplete_details",
    }
)  # fmt: skip
"""Members that say what something is. Everything else is content, also what nobody has heard of yet."""
BYTES = frozenset({"url", "data", "file_data", "image_url", "b64_json", "bytes"})
"""Members that hold pictures, sounds and files, unless they are said to be text."""
JSON = frozenset({"arguments", "partial_json"})
"""Members whose text is JSON itself."""
FREE = frozenset({"input", "arguments", "variables"})
"""Members whose objects have names of the caller's or the model's choice: all of them are content."""


class Leaf(NamedTuple):
    """A text: the object and the member in which it stands, and the way to it."""

    holder: Any
    name: Any
    path: Place

    @property
    def text(self) -> str:
        """What stands there."""
        return str(self.holder[self.name])

    @property
    def escaped(self) -> bool:
        """It is written as JSON is."""
        return self.path[-1] in JSON

    def write(self, text: str) -> None:
        """Put another text in its place."""
        self.holder[self.name] = text


class Name(Leaf):
    """The name of a member, where that is content too."""

    @property
    def text(self) -> str:
        """The name itself."""
        return str(self.name)

    @property
    def escaped(self) -> bool:
        """It has been read already."""
        return False

    def write(self, text: str) -> None:
        """Rename the member where it stands."""
        members = [(text if name == self.name else name, value) for name, value in self.holder.items()]
        self.holder.clear()
        self.holder.update(members)


def leaves(
    value: Any, path: Place = (), *, besides: frozenset[str] = frozenset(), free: bool = False
) -> Iterator[Leaf]:
    """Give every text of an object or list; a list counts by the ``index`` of its items if they have one.

    :param free: every member is content, and its name is, too. Names come behind what they name.
    """
    if isinstance(value, dict):
        for name, inner in list(value.items()):
            if name not in besides and (free or not _is_no_content(value, name, inner)):
                yield from _inner(value, name, inner, (*path, name), free=free or name in FREE)
                yield from [Name(value, name, (*path, name, ""))] if free else []
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            index = inner.get("index", number) if isinstance(inner, dict) else number
            yield from _inner(
                value, number, inner, (*path, index if isinstance(index, int) else number), free=free
            )


def _inner(holder: Any, name: Any, inner: Any, path: Place, *, free: bool) -> Iterator[Leaf]:
    if isinstance(inner, str):
        yield Leaf(holder, name, path)
    elif isinstance(inner, dict | list):
        yield from leaves(inner, path, free=free)


def _is_no_content(holder: dict[str, Any], name: str, inner: object) -> bool:
    is_bytes = name in BYTES and isinstance(inner, str) and holder.get("type") != "text"
    return name in NO_CONTENT or is_bytes
