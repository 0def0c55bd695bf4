"""How many tokens an answer took, for the limits that count them: as the model says, or else estimated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import BaseModel

from enforcement.filter.sse import Reader
from enforcement.ratelimit import usage

_CACHED = ("cache_creation_input_tokens", "cache_read_input_tokens")
_TEXTS = frozenset(
    {"content", "text", "delta", "arguments", "partial_json", "thinking", "reasoning", "reasoning_content"}
)
"""Where text is found in the known formats."""


@dataclass
class Figures:
    """What is known of one answer. The largest figure counts: streams repeat and raise theirs."""

    received: int
    said_input: int = 0
    said_output: int = 0
    chunks: int = 0
    text: int = 0

    came: bool = False
    """Anything has been answered."""
    _reader: Reader = field(default_factory=Reader)

    def see(self, chunk: Any) -> None:
        """Read a piece of a stream, as LiteLLM hands it over."""
        if isinstance(chunk, BaseModel):
            self.read(chunk.model_dump(mode="json", exclude_none=True), streamed=True)
        elif isinstance(chunk, Mapping):
            self.read(chunk, streamed=True)
        elif isinstance(chunk, str | bytes):
            for event in self._reader.feed(chunk.encode() if isinstance(chunk, str) else chunk):
                self._event(event.data or b"")

    def _event(self, data: bytes) -> None:
        try:
            body = orjson.loads(data)
        except orjson.JSONDecodeError:
            return
        if isinstance(body, dict):
            self.read(body, streamed=True)

    def read(self, body: Mapping[str, Any], *, streamed: bool = False) -> None:
        """Read an answer, or an event of one."""
        self.came = True
        self.chunks += streamed
        for said in _usages(body):
            self.said_input = max(self.said_input, _input(said))
            self.said_output = max(self.said_output, _number(said, "completion_tokens", "output_tokens"))
        self.text += _length(body)

    def tokens(self, metric: str) -> int:
        """Give what is charged: never nothing for an answer."""
        parts = {"input": self.said_input, "output": self.said_output, "received": self.received}
        return usage.charge(metric, {**parts, "chunks": self.chunks, "text": self.text, "status": 200})


def _usages(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give the usage of an answer, or of the one that an event carries."""
    for holder in (body, body.get("response"), body.get("message")):
        said = holder.get("usage") if isinstance(holder, Mapping) else None
        if isinstance(said, Mapping):
            yield said


def _input(said: Mapping[str, Any]) -> int:
    """Prompt tokens hold what came from a cache; input tokens do not."""
    own = _number(said, "prompt_tokens")
    return own or _number(said, "input_tokens") + sum(_number(said, name) for name in _CACHED)


def _number(said: Mapping[str, Any], *names: str) -> int:
    found = [value for name in names if type(value := said.get(name)) is int]
    return max([0, *found])


def _length(value: Any) -> int:
    if isinstance(value, Mapping):
        texts = (inner for name, inner in value.items() if name in _TEXTS and isinstance(inner, str))
        return sum(len(text.encode(errors="replace")) for text in texts) + sum(map(_length, value.values()))
    return sum(map(_length, value)) if isinstance(value, list) else 0
