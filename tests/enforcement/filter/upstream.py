"""A model for the tests of the filter: what it answers is told in the request, under ``metadata``."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from typing import Any, Self

from aiohttp import web


class Upstream:
    """Answers as asked: ``events`` (raw pieces of a stream, with pauses), or ``body`` and its ``type``."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.broken = 0
        """Streams whose reader went away."""
        self.score: Any = 0.0
        self.asked: list[dict[str, Any]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(60)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> int:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/classify", self._classify)
        app.router.add_post("/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, backlog=512)
        await site.start()
        return self._runner.addresses[0][1]

    async def _stop(self) -> None:
        await self._runner.cleanup()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _classify(self, request: web.Request) -> web.Response:
        self.asked.append({**await request.json(), "authorization": request.headers.get("authorization", "")})
        if self.score == "late":
            await asyncio.sleep(1)
        while self.score == "held":  # noqa: ASYNC110 - until a test, in another thread, says otherwise
            await asyncio.sleep(0.01)
        return web.json_response({"score": self.score} if isinstance(self.score, float) else {})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append({"path": request.path_qs, "headers": dict(request.headers), "body": body})
        wish = body.get("metadata") or {}
        if "wait" in wish:
            await asyncio.sleep(wish["wait"])
        if "events" in wish:
            return await self._stream(request, wish)
        raw = wish.get("body", '{"choices": []}').encode()
        headers = {"content-type": wish.get("type", "application/json"), **wish.get("headers", {})}
        if wish.get("gzip"):
            raw, headers["content-encoding"] = gzip.compress(raw), wish["gzip"]
        return web.Response(body=raw, headers=headers, status=wish.get("status", 200))

    async def _stream(self, request: web.Request, wish: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        try:
            for piece in wish["events"]:
                await response.write(piece.encode())
                await asyncio.sleep(wish.get("pause", 0))
            if wish.get("then") == "silence":
                await asyncio.sleep(60)
        except (ConnectionError, asyncio.CancelledError):
            self.broken += 1
            raise
        return response


def answered(content: str) -> str:
    """Write a chat answer."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"id": "c", "choices": [choice], "usage": {"total_tokens": 3}})
