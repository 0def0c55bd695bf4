"""``/v1/messages``."""

from __future__ import annotations

from typing import Any

from enforcement.filter.wire.base import Ends, Json, Logprobs, Text, Wire, within


class Messages(Wire):
    """Blocks one after the other, each with a number."""

    def __init__(self) -> None:
        self._open: list[int] = []
        self._tokens = 0

    def pieces(self, event: Json) -> list[Text]:
        """Give what a block begins with and what is added to it; the input of a tool begins empty."""
        member = {"content_block_start": "content_block", "content_block_delta": "delta"}.get(
            _kind(event), ""
        )
        number = event.get("index")
        return [
            Text((number, *leaf.path), leaf)
            for leaf in within(event.get(member), ())
            if leaf.path[0] != "input"
        ]

    def others(self, event: Json) -> Any:
        """Give what is no delta."""
        taken = {id(piece.leaf.holder): piece.leaf.name for piece in self.pieces(event)}
        return (leaf for leaf in super().others(event) if taken.get(id(leaf.holder)) != leaf.name)

    def ends(self, event: Json) -> Ends | None:
        """A block ends by itself, and all do with the message."""
        kind, number = _kind(event), event.get("index")
        if kind == "content_block_stop":
            return lambda place: place[0] == number
        return (lambda _: True) if kind in ("message_delta", "message_stop", "error") else None

    def note(self, event: Json) -> None:
        """Remember which blocks are open, and the tokens that were told."""
        kind, number = _kind(event), event.get("index")
        if kind == "content_block_start" and isinstance(number, int):
            self._open.append(number)
        if kind == "content_block_stop" and number in self._open:
            self._open.remove(number)
        self._tokens = _tokens(event.get("message") or event) or self._tokens

    def carry(self, like: Json, piece: Text, text: str, logprobs: Logprobs) -> bytes:  # noqa: ARG002 - it has none
        """Write a delta with one text."""
        number, *path = piece.place
        kind = _DELTAS.get(str(path[-1]), like.get("delta", {}).get("type", "text_delta"))
        delta = {"type": kind, str(path[-1]): text}
        event = {"type": "content_block_delta", "index": number, "delta": delta}
        return self.write(event, "content_block_delta")

    def blocked(self) -> bytes:
        """Stop the open blocks and the message."""
        ends: list[Json] = [{"type": "content_block_stop", "index": number} for number in self._open]
        reason = {"stop_reason": "refusal", "stop_sequence": None}
        ends.append({"type": "message_delta", "delta": reason, "usage": {"output_tokens": self._tokens}})
        ends.append({"type": "message_stop"})
        return b"".join(self.write(each, each["type"]) for each in ends)

    def halted(self, error: Json) -> bytes:
        """Write an event named ``error``."""
        return self.write({"type": "error", **error}, "error")


_DELTAS = {"text": "text_delta", "thinking": "thinking_delta", "partial_json": "input_json_delta"}


def _kind(event: Json) -> str:
    return str(event.get("type"))


def _tokens(holder: Json) -> int:
    usage = holder.get("usage")
    value = usage.get("output_tokens") if isinstance(usage, dict) else None
    return value if isinstance(value, int) else 0
