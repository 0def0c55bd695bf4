"""Server-sent events out of bytes that are cut anywhere, each with the very bytes it came in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_END = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n|\Z))")
_LINE = re.compile(rb"\r\n|\n|\r")
EVENT_MOST = 16 * 1024 * 1024


class TooLongError(Exception):
    """An event does not end."""


class Event(NamedTuple):
    """One event: its bytes, its name and its data (None: a comment, or nothing)."""

    raw: bytes
    name: str
    data: bytes | None


class Reader:
    """Splits a stream into events."""

    def __init__(self) -> None:
        self._rest, self._looked = b"", 0

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Give the events that have ended.

        :raises TooLongError: an event is longer than anything could be.
        """
        self._rest += chunk
        at = 0
        while (end := _END.search(self._rest, max(at, self._looked))) is not None:
            yield event(self._rest[at : end.end()])
            at = end.end()
            self._looked = 0
        self._rest = self._rest[at:]
        self._looked = max(0, len(self._rest) - 3)
        if len(self._rest) > EVENT_MOST:
            raise TooLongError

    def finish(self) -> Iterator[Event]:
        """Give what was left without its end."""
        if self._rest:
            yield event(self._rest)
        self._rest = b""


def event(raw: bytes) -> Event:
    """Read the lines of one event."""
    if raw.startswith(b"data: ") and raw.endswith(b"\n\n") and raw.count(b"\n") == 2 and b"\r" not in raw:  # noqa: PLR2004
        return Event(raw, "", raw[6:-2])  # as nearly all are
    name, data = "", list[bytes]()
    for line in _LINE.split(raw.removeprefix(b"\xef\xbb\xbf")):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode(errors="replace")
    return Event(raw, name, b"\n".join(data) if data else None)


def written(name: str, data: bytes) -> bytes:
    """Write an event of one line of data."""
    return (b"event: " + name.encode() + b"\n" if name else b"") + b"data: " + data + b"\n\n"
