"""Real HTTP servers for the tests: a model that echoes and streams, and a hub with a long poll."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any, Self

from aiohttp import web

TOKEN = "agent-token"


class Servers:
    """Both servers on a loop of their own thread."""

    def __init__(self) -> None:
        self.hub_up = True
        self.policy: bytes | None = None
        self.etag = ""
        self.reports: list[dict[str, Any]] = []
        self.traffic: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.attachments: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._going_on = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runners: list[web.AppRunner] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self.model_port = self._call(self._serve(self._model()))
        self.hub_port = self._call(self._serve(self._hub()))
        return self

    def __exit__(self, *_: object) -> None:
        for runner in self._runners:
            self._call(runner.cleanup())
        self._call(self._end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end_tasks(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def publish(self, raw: bytes) -> None:
        def put() -> None:
            self.policy, self.etag = raw, f'"{hash(raw)}"'
            self._changed.set()

        self._loop.call_soon_threadsafe(put)

    def hold(self) -> None:
        """From now on streams that say ``held`` wait after their first piece for :meth:`go_on`."""
        self._loop.call_soon_threadsafe(self._going_on.clear)

    def go_on(self) -> None:
        """Let the held streams end."""
        self._loop.call_soon_threadsafe(self._going_on.set)

    def stop_hub(self) -> None:
        self._call(self._runners[1].cleanup())

    def start_hub(self) -> None:
        self._runners.pop(1)
        self._call(self._serve(self._hub(), self.hub_port))

    def _call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    async def _serve(self, app: web.Application, port: int = 0) -> int:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
        await site.start()
        self._runners.append(runner)
        return runner.addresses[0][1]

    def _model(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{tail:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw)
        seen = {"path": request.path_qs, "headers": dict(request.headers), "body": body}
        self.requests.append(seen)
        if body.get("stream") is not True:
            return web.json_response({"model": body["model"], "seen": seen})
        return await self._stream(request, body)

    async def _stream(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for number in range(body.get("chunks", 3)):
            await response.write(f"data: {number}\n\n".encode())
            if body.get("held"):
                await self._going_on.wait()
            await asyncio.sleep(body.get("pause", 0.05))
        await response.write(b"data: [DONE]\n\n")
        return response

    def _hub(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/v1/policy", self._get_policy)
        app.router.add_get("/v1/attachments/{digest}", self._get_attachment)
        app.router.add_post("/v1/status", self._post_status)
        app.router.add_post("/v1/traffic", self._post_traffic)
        return app

    async def _get_policy(self, request: web.Request) -> web.Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        if self.etag == request.headers.get("if-none-match", ""):
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), float(request.query.get("wait", 0)))
            except TimeoutError:
                return web.Response(status=304)
        if self.policy is None:
            return web.Response(status=404)
        return web.Response(body=self.policy, headers={"etag": self.etag})

    async def _get_attachment(self, request: web.Request) -> web.Response:
        name = request.match_info["digest"]
        self.fetched.append(name)
        found = self.attachments.get(name)
        return web.Response(status=404) if found is None else web.Response(body=found)

    async def _post_status(self, request: web.Request) -> web.Response:
        self.reports.append(await request.json())
        return web.Response(status=204)

    async def _post_traffic(self, request: web.Request) -> web.Response:
        self.traffic.extend((await request.json())["records"])
        return web.Response(status=204)
