"""One answer from the model to the caller."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import aiohttp

from enforcement import policy, refusals
from enforcement.envoy.gateway import Model
from enforcement.filter import wire as wires
from enforcement.filter.answers import reviewed
from enforcement.filter.guards import BlockedError, Findings
from enforcement.filter.http import (
    Headers,
    Receive,
    RefusedError,
    Scope,
    Send,
    UnknownCodingError,
    Unpacker,
    answer,
    aside,
    begin,
)
from enforcement.filter.judged import Judged, Passing
from enforcement.filter.request import Asked, refused
from enforcement.filter.running import Running
from enforcement.filter.streaming import Stream, UnreadableError

if TYPE_CHECKING:
    from enforcement.filter.app import Filter

_OWN = {b"host", b"content-length", b"connection", b"transfer-encoding", b"expect", b"accept-encoding"}
_HOP = {b"connection", b"transfer-encoding", b"keep-alive", b"content-length", b"content-encoding"}
_HOP |= {b"date", b"server"}
ANSWER_MOST = 64 * 1024 * 1024
LAST_SECONDS = 1.0


class Relay:
    """Sends the request on and brings the answer back, as far as the corrections let it."""

    def __init__(self, app: Filter, request: Asked, findings: Findings, model: Model) -> None:
        self._app, self._request, self._findings, self._model = app, request, findings, model
        self._guards = request.guards(policy.OutputFilter)
        self._classifiers = request.classifiers("output")
        self._wire = wires.of(request.attributes.endpoint)
        self._begun = False

    async def run(self, scope: Scope, receive: Receive, send: Send, body: bytes, told: Headers) -> None:
        """Do it; a correction that halts the answer ends it here."""
        request = self._request
        one = await self._app.halting.begin(request)
        gone = asyncio.ensure_future(receive())
        gone.add_done_callback(lambda done: None if done.cancelled() else one.leave())
        try:
            await asyncio.sleep(0)  # what has been ended already ends here: the model is not asked
            await self._forward(scope, send, body, told)
        except asyncio.CancelledError:
            if one.ended_by is None and not one.left:
                raise
            one.task.uncancel()
            await self._last_words(one, send)
        finally:
            self._app.halting.running.discard(one)
            gone.cancel()

    async def _forward(self, scope: Scope, send: Send, body: bytes, told: Headers) -> None:
        query = scope["query_string"].decode("latin-1")
        url = f"http://{self._model.upstream}{scope['path']}" + (f"?{query}" if query else "")
        headers = [
            (name.decode(errors="replace"), value.decode(errors="replace"))
            for name, value in scope["headers"]
            if name not in _OWN and not name.startswith((b"x-irapp-", b"irapp-"))
        ]
        headers.append(("accept-encoding", "identity"))
        try:
            post = self._app.session.post(url, data=body, headers=headers, allow_redirects=False)
            async with post as response:
                await self._answer(response, send, told)
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            if self._begun:
                raise  # what has begun visibly breaks off
            raise RefusedError(503, refusals.UNAVAILABLE) from error

    async def _answer(self, response: aiohttp.ClientResponse, send: Send, told: Headers) -> None:
        kept = [each for each in response.raw_headers if _handed_on(each[0].lower())]
        looked_into = bool(self._guards or self._classifiers)
        streams = response.content_type == "text/event-stream"
        try:
            unpacker = Unpacker(response.headers.get("content-encoding", "").lower())
            if streams:
                await self._stream(response, unpacker, send, [*kept, *told, *self._request.told.headers()])
            elif looked_into:
                await self._whole(response, unpacker, send, [*kept, *told])
            else:
                await self._pass(response, unpacker, send, [*kept, *told, *self._request.told.headers()])
        except (UnknownCodingError, UnreadableError) as error:
            await self._unreadable(send, error)

    async def _unreadable(self, send: Send, error: Exception) -> None:
        """What cannot be looked into does not pass."""
        if not self._begun:
            raise RefusedError(503, refusals.FAILED) from error
        last = self._wire.halted(refusals.FAILED)
        await send({"type": "http.response.body", "body": last})

    async def _pass(
        self, response: aiohttp.ClientResponse, unpacker: Unpacker, send: Send, headers: Headers
    ) -> None:
        self._begun = True
        await begin(send, response.status, headers)
        async for chunk in response.content.iter_any():
            await send({"type": "http.response.body", "body": unpacker.feed(chunk), "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _whole(
        self, response: aiohttp.ClientResponse, unpacker: Unpacker, send: Send, headers: Headers
    ) -> None:
        raw = b""
        async for chunk in response.content.iter_any():
            raw += unpacker.feed(chunk)
            if len(raw) > ANSWER_MOST:
                raise UnreadableError
        found = await aside(len(raw), reviewed, raw, self._guards, self._findings)
        if found.blocked is None and self._classifiers:
            await self._classify(raw.decode(errors="replace"))
        headers = [*headers, *self._request.told.headers()]
        if found.blocked is not None:
            headers.append((b"x-irapp-correction", found.blocked.encode()))
        status = 403 if found.refused else response.status
        await begin(send, status, headers, len(found.raw))
        await send({"type": "http.response.body", "body": found.raw})

    async def _classify(self, text: str) -> None:
        """Ask about a whole answer.

        :raises RefusedError: it may not go out.
        """
        try:
            await self._ask(self._classifiers, text)
        except BlockedError as blocked:
            raise refused(blocked.correction) from blocked

    async def _ask(self, corrections: list[policy.Correction], text: str) -> None:
        question = self._app.question(self._request, "output", text)
        await self._app.classifiers.check(self._app.session, corrections, question, self._findings)

    async def _stream(
        self, response: aiohttp.ClientResponse, unpacker: Unpacker, send: Send, headers: Headers
    ) -> None:
        through = self._through()
        self._begun = True
        await begin(send, response.status, headers)
        async for chunk in response.content.iter_any():
            out = await through.feed(unpacker.feed(chunk))
            if out:
                await send({"type": "http.response.body", "body": out, "more_body": True})
            if through.blocked:
                response.close()
                break
        last = b"" if through.blocked else await through.finish()
        self._flag_later(through.said)
        await send({"type": "http.response.body", "body": last})

    def _through(self) -> Judged | Passing:
        if not (self._guards or self._classifiers):
            return Passing()
        stream = Stream(self._wire, self._guards, self._findings)
        stream.listened = bool(self._classifiers)
        blocking = [item for item in self._classifiers if _blocks(item)]
        return Judged(stream, self._wire, partial(self._ask, blocking) if blocking else None)

    def _flag_later(self, said: str) -> None:
        """Ask those who only count when the answer is out: nobody waits for them."""
        counting = [item for item in self._classifiers if not _blocks(item)]
        if counting:
            self._app.later(self._ask(counting, said))

    async def _last_words(self, one: Running, send: Send) -> None:
        """Say which correction has ended the answer, unless nobody listens any more."""
        if one.ended_by is None:
            return
        refusal = refused(one.ended_by, 503)
        if not self._begun:
            await answer(send, 503, refusal.body, refusal.headers)
            return
        last = self._wire.halted(refusals.refusal(one.ended_by))
        async with asyncio.timeout(LAST_SECONDS):  # a reader who does not read is cut off
            await send({"type": "http.response.body", "body": last})


def _handed_on(name: bytes) -> bool:
    """Tell whether a header of the model goes to the caller; what begins with ours is ours to say."""
    return name not in _HOP and not name.startswith(b"x-irapp-")


def _blocks(item: policy.Correction) -> bool:
    effect = item.effect
    assert isinstance(effect, policy.Classifier)  # noqa: S101 - the caller chose
    return effect.action == "block" and item.mode == "enforce"
