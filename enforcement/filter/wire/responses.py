"""``/v1/responses``."""

from __future__ import annotations

from collections.abc import Iterator

from enforcement.filter.guards import Place
from enforcement.filter.texts import Leaf
from enforcement.filter.wire.base import Ends, Json, Logprobs, Text, Wire

_NUMBERS = ("item_id", "output_index", "content_index", "summary_index")
_LAST = ("response.completed", "response.incomplete", "response.failed", "error")


class Responses(Wire):
    """Events with a number and a kind; ``X.delta`` adds to what ``X.done`` ends."""

    def __init__(self) -> None:
        self._response: Json = {}
        self._number, self._shift = -1, 0

    def pieces(self, event: Json) -> list[Text]:
        """Give the delta."""
        kind = str(event.get("type"))
        if not kind.endswith(".delta") or not isinstance(event.get("delta"), str):
            return []
        stem = kind.removesuffix(".delta")
        name = "arguments" if "arguments" in stem else "delta"
        place = (*(event.get(number) for number in _NUMBERS), stem)
        return [Text(place, Leaf(event, "delta", (*place, name)))]

    def others(self, event: Json) -> Iterator[Leaf]:
        """Give the texts that end, of items, and of the whole response."""
        besides = {"delta"} if self.pieces(event) else set()
        return (leaf for leaf in super().others(event) if leaf.name not in besides)

    def ends(self, event: Json) -> Ends | None:
        """A text ends by its own event, or with its item, or with the response."""
        kind = str(event.get("type"))
        if kind in _LAST:
            return lambda _: True
        if kind == "response.output_item.done":
            return lambda place: place[1] == event.get("output_index")
        stem, _, end = kind.rpartition(".")
        same = (*(event.get(name) for name in _NUMBERS), stem)
        return (lambda place: place == same) if end == "done" else None

    def note(self, event: Json) -> None:
        """Remember the response as it began, and the last number."""
        if isinstance(event.get("response"), dict):
            self._response = event["response"]
        number = event.get("sequence_number")
        self._number = number + self._shift if isinstance(number, int) else self._number

    def carry(self, like: Json, piece: Text, text: str, logprobs: Logprobs) -> bytes:  # noqa: ARG002 - as before
        """Write a delta; whatever comes later gets a higher number."""
        event = {**like, "delta": text, **logprobs}
        if "sequence_number" in like:
            self._number += 1
            self._shift += 1
            event["sequence_number"] = self._number
        return self.write(event, str(event.get("type")))

    def numbered(self, event: Json, name: str, *, changed: bool) -> bytes | None:
        """Number an event anew where others were added or left out before it."""
        if self._shift and isinstance(event.get("sequence_number"), int):
            event = {**event, "sequence_number": event["sequence_number"] + self._shift}
            changed = True
        return self.write(event, name) if changed else None

    def logprobs(self, event: Json, place: Place) -> Json:
        """Give the event itself: it has the list."""
        return event if place[-1] == "response.output_text" else {}

    def blocked(self) -> bytes:
        """End the response as incomplete."""
        reason = {"reason": "content_filter"}
        body = {**self._response, "status": "incomplete", "incomplete_details": reason, "output": []}
        kind = "response.incomplete"
        event = {"type": kind, "sequence_number": self._number + 1, "response": body}
        return self.write(event, kind)

    def halted(self, error: Json) -> bytes:
        """Write an event named ``error``, with its words where clients of this API look for them."""
        told = {name: error["error"].get(name) for name in ("code", "message", "param")}
        event = {"type": "error", "sequence_number": self._number + 1, **told, **error}
        return self.write(event, "error")
