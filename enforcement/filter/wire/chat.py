"""``/v1/chat/completions`` and ``/v1/completions``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from enforcement.filter.guards import Place
from enforcement.filter.texts import Leaf, leaves
from enforcement.filter.wire.base import DONE, Ends, Json, Logprobs, Text, Wire, within

_CHUNK = frozenset({"delta", "text"})
_WITH_LOGPROBS = (("content",), ("refusal",), ("text",))


class Chat(Wire):
    """Choices side by side; the text of each in ``delta`` or, of old, in ``text``."""

    def __init__(self) -> None:
        self._head: Json = {}
        self._open: dict[int, bool] = {}
        """The choices that have not ended; whether they speak in deltas."""
        self._read: tuple[Json, list[tuple[int, Json]]] = {}, []

    def pieces(self, event: Json) -> list[Text]:
        """Give what each choice adds."""
        return [
            Text((number, *leaf.path), leaf)
            for number, choice in self._choices(event)
            for leaf in _added(choice)
        ]

    def others(self, event: Json) -> Iterator[Leaf]:
        """Give what stands beside the deltas."""
        yield from leaves(event, besides=frozenset({"choices"}))
        for _, choice in self._choices(event):
            yield from leaves(choice, besides=_CHUNK)

    def ends(self, event: Json) -> Ends | None:
        """A reason to finish ends every text of its choice."""
        ended = {number for number, choice in self._choices(event) if choice.get("finish_reason") is not None}
        return (lambda place: place[0] in ended) if ended else None

    def choice(self, place: Place) -> object:
        """Give the number of the choice."""
        return place[0]

    def note(self, event: Json) -> None:
        """Remember the head of the chunks and which choices are open."""
        if event.get("choices"):
            self._head = {name: value for name, value in event.items() if name not in ("choices", "usage")}
        for number, choice in self._choices(event):
            if choice.get("finish_reason") is None:
                self._open[number] = "text" not in choice
            else:
                self._open.pop(number, None)

    def carry(self, like: Json, piece: Text, text: str, logprobs: Logprobs) -> bytes:
        """Write a chunk with one text."""
        number, *path = piece.place
        delta = _nested(path, text)
        body = {**(delta if path == ["text"] else {"delta": delta}), "logprobs": logprobs or None}
        return self.write({**_bare(like), "choices": [{"index": number, **body, "finish_reason": None}]})

    def logprobs(self, event: Json, place: Place) -> Json:
        """Give those of the choice, if the text is the one that they tell of."""
        choices = self._choices(event)
        told = next((each.get("logprobs") for number, each in choices if number == place[0]), None)
        return told if isinstance(told, dict) and place[1:] in _WITH_LOGPROBS else {}

    def _choices(self, event: Json) -> list[tuple[int, Json]]:
        """Give the choices of an event, found once."""
        if self._read[0] is not event:
            self._read = event, list(_choices(event))
        return self._read[1]

    def blocked(self) -> bytes:
        """Finish every choice that is open."""
        ends = [
            {
                "index": number,
                **({"delta": {}} if deltas else {"text": ""}),
                "finish_reason": "content_filter",
            }
            for number, deltas in sorted((self._open or {0: True}).items())
        ]
        return b"".join(self.write({**self._head, "choices": [each]}) for each in ends) + DONE


def _bare(event: Json) -> Json:
    return {name: None if name == "usage" else value for name, value in event.items() if name != "choices"}


def _choices(event: Json) -> Iterator[tuple[int, Json]]:
    choices = event.get("choices")
    for number, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict):
            index = choice.get("index", number)
            yield (index if isinstance(index, int) else number), choice


def _added(choice: Json) -> Iterator[Leaf]:
    yield from within(choice.get("delta"), ())
    if isinstance(choice.get("text"), str):
        yield Leaf(choice, "text", ("text",))


def _nested(path: list[Any], text: str) -> Any:
    """Build the objects and lists that lead to a text."""
    if not path:
        return text
    first, *rest = path
    inner = _nested(rest, text)
    if isinstance(first, int):
        return [{"index": first, **inner}] if isinstance(inner, dict) else [inner]
    return {first: inner}
