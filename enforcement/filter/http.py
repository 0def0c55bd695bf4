"""The small part of ASGI that the filter speaks."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar

import orjson

from enforcement import refusals

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

T = TypeVar("T")
LARGE = 64 * 1024
CORRECTION = b"x-irapp-correction"
BODY_LIMIT = 10 * 1024 * 1024


class RefusedError(Exception):
    """The request ends here."""

    def __init__(self, status: int, body: Any, headers: Headers | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or []


async def body_of(receive: Receive) -> bytes:
    """Read the body of a request.

    :raises RefusedError: it is too large, or its sender has gone.
    """
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedError(400, refusals.INVALID_JSON)
        chunk = message.get("body", b"")
        chunks.append(chunk)
        size, more = size + len(chunk), message.get("more_body", False)
        if size > BODY_LIMIT:
            raise RefusedError(413, refusals.TOO_LARGE)
    return b"".join(chunks)


async def answer(send: Send, status: int, body: object, more: Headers) -> None:
    """Send an answer of JSON."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    await begin(send, status, [(b"content-type", b"application/json"), *more], len(raw))
    await send({"type": "http.response.body", "body": raw})


async def begin(send: Send, status: int, headers: Headers, length: int | None = None) -> None:
    """Send the head of an answer. One correction speaks: the last that is told."""
    spoken = [each for each in headers if each[0] == CORRECTION][-1:]
    headers = [each for each in headers if each[0] != CORRECTION] + spoken
    if length is not None:
        headers = [*headers, (b"content-length", str(length).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def aside(size: int, work: Callable[..., T], *arguments: Any) -> T:
    """Do what takes long with much text in a thread, so that others go on meanwhile."""
    return await asyncio.to_thread(work, *arguments) if size > LARGE else work(*arguments)


class UnknownCodingError(Exception):
    """The model has packed its answer in a way that nobody asked for."""


class Unpacker:
    """Undoes the coding of an answer, chunk by chunk."""

    def __init__(self, coding: str) -> None:
        """Begin.

        :raises UnknownCodingError: nothing here can read it.
        """
        if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise UnknownCodingError(coding)
        self._plain = coding in ("", "identity")
        self._zlib = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)

    def feed(self, chunk: bytes) -> bytes:
        """Give what a chunk holds.

        :raises UnknownCodingError: it is broken.
        """
        if self._plain:
            return chunk
        try:
            return self._zlib.decompress(chunk)
        except zlib.error as error:
            raise UnknownCodingError(str(error)) from error
