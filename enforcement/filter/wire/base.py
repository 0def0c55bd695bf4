"""What every wire can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

import orjson

from enforcement.filter.guards import Place
from enforcement.filter.sse import written
from enforcement.filter.texts import Leaf, leaves

Json = dict[str, Any]
Ends: TypeAlias = Callable[[Place], bool]
Logprobs: TypeAlias = dict[str, list[Any]]
"""Lists of tokens by the name of the list."""
DONE = b"data: [DONE]\n\n"


class Text(NamedTuple):
    """A piece of a text of the answer: which text, and where the piece stands in the event."""

    place: Place
    leaf: Leaf


class Wire:
    """One streamed answer. ``note`` is told of every event that goes out."""

    def pieces(self, event: Json) -> list[Text]:
        """Give the pieces of text that an event adds."""
        raise NotImplementedError

    def others(self, event: Json) -> Iterator[Leaf]:
        """Give the texts that stand in an event as a whole."""
        return leaves(event)

    def ends(self, event: Json) -> Ends | None:
        """Give what tells whether a text ends with the event; None: none does."""
        raise NotImplementedError

    def choice(self, place: Place) -> object:  # noqa: ARG002 - where there is only one
        """Give the choice that a text belongs to; most APIs know only one."""
        return None

    def note(self, event: Json) -> None:
        """Remember what an ending needs."""

    def carry(self, like: Json, piece: Text, text: str, logprobs: Logprobs) -> bytes:
        """Write an event that adds a text where an earlier event did."""
        raise NotImplementedError

    def logprobs(self, event: Json, place: Place) -> Json:  # noqa: ARG002 - where there are none
        """Give the object whose lists tell the tokens of a text, if the event has one."""
        return {}

    def numbered(self, event: Json, name: str, *, changed: bool) -> bytes | None:
        """Write an event again; None: its own bytes will do."""
        return self.write(event, name) if changed else None

    def blocked(self) -> bytes:
        """Write the clean end of an answer that a correction blocks."""
        raise NotImplementedError

    def halted(self, error: Json) -> bytes:
        """Write the end of an answer that is broken off."""
        return self.write(error)

    @staticmethod
    def write(event: Json, name: str = "") -> bytes:
        """Write an event."""
        return written(name, orjson.dumps(event))


def within(value: object, path: Place) -> Iterable[Leaf]:
    """Give the texts below a member, if it holds any."""
    return leaves(value, path) if isinstance(value, dict | list) else ()
