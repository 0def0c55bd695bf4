"""The stream itself, as a small ASGI application that serves ``GET /live/`` and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

from irapp.audit.live import people
from irapp.audit.live.listener import Listener, Subscriber
from irapp.audit.live.topics import MOST_DIGITS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HEARTBEAT = 15.0
MILLISECOND_DIGITS = 13
"""Until the year 2286."""
RECHECK_EVERY = 4
"""Heartbeats between two looks at the session: one minute."""


class Live:
    """Streams hints to signed-in browsers."""

    def __init__(self, *, heartbeat: float = HEARTBEAT) -> None:
        self.listener = Listener()
        self.heartbeat = heartbeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        listening = asyncio.create_task(self.listener.run())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        heard = await self._heard(request)
        if isinstance(heard, HTTPStatus):
            await _answer(send, heard, request.cors())
            return
        await _start(send, request.cors())
        streaming = asyncio.create_task(self._stream(request, heard, send))
        leaving = asyncio.create_task(_left(receive))
        await asyncio.wait({streaming, leaving}, return_when=asyncio.FIRST_COMPLETED)
        for task in (streaming, leaving):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await streaming

    async def _heard(self, request: Request) -> frozenset[str] | HTTPStatus:
        if request.path != "/live/" or request.method != "GET":
            return HTTPStatus.NOT_FOUND
        if not request.from_our_pages:
            return HTTPStatus.FORBIDDEN
        heard = await people.topics_heard(request.session, request.topics)
        # 204 tells an EventSource to give up; a page of somebody signed out need not try again.
        return HTTPStatus.NO_CONTENT if heard is None else heard

    async def _stream(self, request: Request, heard: frozenset[str], send: Send) -> None:
        with self.listener.subscribed(heard) as subscriber:
            async for hint in _missed(request, heard):
                await _tell(send, hint)
            checked = time.monotonic()
            while True:
                if time.monotonic() - checked >= self.heartbeat * RECHECK_EVERY:
                    if not await self._still(request, subscriber.topics):
                        return
                    checked = time.monotonic()
                await self._next(subscriber, send)

    async def _next(self, subscriber: Subscriber, send: Send) -> None:
        """Pass on the next hint, or a sign of life."""
        try:
            hint = await asyncio.wait_for(subscriber.waiting.get(), self.heartbeat)
        except TimeoutError:
            await _write(send, ": still here\n\n")
        else:
            await _tell(send, hint)

    async def _still(self, request: Request, heard: frozenset[str]) -> bool:
        """Whether the person is still signed in and may still hear all of it."""
        return await people.topics_heard(request.session, heard) == heard


class Request:
    """What the stream needs to know of a request."""

    def __init__(self, scope: Scope) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qs(scope["query_string"].decode("latin-1"))
        self.method, self.path = scope["method"], scope["path"]
        self.origin = headers.get("origin", "")
        self.session = people.session_key(headers.get("cookie", ""))
        self.topics = [topic for value in query.get("topics", []) for topic in value.split(",") if topic]
        last = headers.get("last-event-id") or query.get("last_event_id", [""])[0]
        self.since = _moment(query.get("since", [""])[0])
        self.last_event_id = int(last) if last.isdecimal() and len(last) <= MOST_DIGITS else None

    @property
    def from_our_pages(self) -> bool:
        """No origin means the same one; another must be that of our pages."""
        return not self.origin or self.origin == _origin(settings.PUBLIC_URL)

    def cors(self) -> list[tuple[bytes, bytes]]:
        """Let our pages, and nobody else's, read the stream with the session's cookie."""
        if not self.origin or not self.from_our_pages:
            return []
        return [
            (b"access-control-allow-origin", self.origin.encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
            (b"vary", b"Origin"),
        ]


async def _missed(request: Request, heard: frozenset[str]) -> AsyncIterator[dict[str, Any] | None]:
    missed = await people.missed(heard, after=request.last_event_id, since=request.since)
    for hint in [None] if missed is None else missed:
        yield hint


async def _tell(send: Send, hint: dict[str, Any] | None) -> None:
    if hint is None:
        await _write(send, "event: reset\ndata: {}\n\n")
        return
    number = f"id: {hint['id']}\n" if hint["id"] else ""
    await _write(send, f"{number}data: {json.dumps({'topics': hint['topics']})}\n\n")


async def _start(send: Send, headers: list[tuple[bytes, bytes]]) -> None:
    named = [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        *headers,
    ]
    await send({"type": "http.response.start", "status": HTTPStatus.OK.value, "headers": named})
    await _write(send, "retry: 2000\n\n")


async def _write(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _answer(send: Send, status: HTTPStatus, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _moment(milliseconds: str) -> datetime | None:
    """Read when a page was made; what is no such moment is as good as none."""
    if not milliseconds.isdecimal() or len(milliseconds) > MILLISECOND_DIGITS:
        return None
    return datetime.fromtimestamp(int(milliseconds) / 1000, tz=UTC)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
