"""A streamed answer under its corrections: patterns at once, classifiers window by window."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from enforcement.filter.guards import BlockedError
from enforcement.filter.sse import EVENT_MOST
from enforcement.filter.streaming import Stream
from enforcement.filter.wire import Wire

WINDOW, OVERLAP, SENTENCE = 2000, 400, 400
"""Characters: a window that is asked about, what the next one repeats of it, and the least for a sentence."""
_SENTENCE_END = re.compile(r"[.!?。！？]\s*$|\n\s*$")
_BLANK = (b"\n\n", b"\r\n\r\n", b"\r\r")
Ask = Callable[[str], Awaitable[None]]


class Passing:
    """An answer that nothing looks into: whole events, so that it can be ended between two of them."""

    blocked: str | None = None
    said = ""

    def __init__(self) -> None:
        self._rest = b""

    async def feed(self, chunk: bytes) -> bytes:
        """Give the events that have ended."""
        found = self._rest + chunk
        end = max(found.rfind(blank) + len(blank) if blank in found else 0 for blank in _BLANK)
        end = end or (len(found) if len(found) > EVENT_MOST else 0)  # no stream of events, whatever it says
        self._rest = found[end:]
        return found[:end]

    async def finish(self) -> bytes:
        """Give the rest."""
        rest, self._rest = self._rest, b""
        return rest


class Judged:
    """An answer that patterns and classifiers look into; what no classifier has cleared is kept."""

    def __init__(self, stream: Stream, wire: Wire, ask: Ask | None) -> None:
        self._stream, self._wire, self._ask = stream, wire, ask
        self._kept: list[bytes] = []
        self._asked = 0
        self.blocked: str | None = None

    async def feed(self, chunk: bytes) -> bytes:
        """Give what may go out."""
        return await self._clear(self._stream.feed(chunk), last=False)

    async def finish(self) -> bytes:
        """Give the rest."""
        return await self._clear(self._stream.finish(), last=True)

    @property
    def said(self) -> str:
        """Give all the text so far."""
        return self._stream.said

    async def _clear(self, out: bytes, *, last: bool) -> bytes:
        self.blocked = self._stream.blocked
        if self._ask is None:
            return out
        self._kept.append(out)
        said = self._stream.said
        if not (last or self.blocked) and not _is_window(said[self._asked :]):
            return b""
        try:
            await self._ask(said[max(0, self._asked - OVERLAP) :])
        except BlockedError as blocked:
            self.blocked = blocked.correction.id
            return self._wire.blocked()
        self._asked = len(said)
        kept, self._kept = self._kept, []
        return b"".join(kept)


def _is_window(text: str) -> bool:
    return len(text) >= WINDOW or (len(text) >= SENTENCE and bool(_SENTENCE_END.search(text)))
