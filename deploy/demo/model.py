"""The demo model: an OpenAI-compatible server that really writes, with a model of a few hundred sentences.

``python -m deploy.demo.model`` serves it on loopback, port ``DEMO_MODEL_PORT``. It exists so that a gateway
has something to restrict, and is of no other use. ``DEMO_MODEL_PAUSE_MS``: the pause between streamed words.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from aiohttp import web

from deploy.demo import embeddings, language
from deploy.demo.answer import answer
from deploy.demo.asked import Embedding
from deploy.demo.wire import FINGERPRINT, chat, completions, messages, responses

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import ModuleType

BODY_LIMIT = 10_000_000
APIS: dict[str, ModuleType] = {
    "/v1/chat/completions": chat,
    "/v1/completions": completions,
    "/v1/responses": responses,
    "/v1/messages": messages,
}
T = TypeVar("T")


class ApiError(Exception):
    """A request that the model refuses, as OpenAI words it."""

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "message": message,
            "type": "invalid_request_error",
            "param": param,
            "code": code,
        }


@web.middleware
async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer every error in OpenAI's shape."""
    try:
        return await handler(request)
    except ApiError as error:
        status, body = error.status, error.body
    except web.HTTPException as error:
        status = error.status
        body = ApiError(status, f"{request.method} {request.path}: {error.reason}").body
    return _json({"error": body}, status=status)


async def _parse(request: web.Request, kind: type[T]) -> T:
    try:
        asked = msgspec.json.decode(await request.read(), type=kind)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$.")
        raise ApiError(400, text, param=place.rstrip("`") or None, code="invalid_value") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise ApiError(400, f"The body is not JSON: {error}", code="invalid_json") from error
    model = getattr(asked, "model", "")
    if model not in language.ORDERS:
        text = f"The model `{model}` does not exist; there are {', '.join(language.ORDERS)}"
        raise ApiError(404, text, param="model", code="model_not_found")
    return asked


def _generate(api: ModuleType) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        asked = await _parse(request, api.Asked)
        answers = [answer(question, number=number) for number, question in enumerate(api.questions(asked))]
        if not asked.stream:
            return _json(api.whole(asked, answers))
        stream = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
        )
        await stream.prepare(request)
        for name, data in api.events(asked, answers):
            await stream.write(_event(name, data))
            await asyncio.sleep(request.app[PAUSE])
        return stream

    return handle


async def _embeddings(request: web.Request) -> web.Response:
    return _json(embeddings.body(await _parse(request, Embedding)))


async def _models(_request: web.Request) -> web.Response:
    models = [_describe(name) for name in language.ORDERS]
    return _json({"object": "list", "data": models})


async def _model(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in language.ORDERS:
        raise ApiError(404, f"The model `{name}` does not exist", param="model", code="model_not_found")
    return _json(_describe(name))


async def _health(_request: web.Request) -> web.Response:
    return _json({"status": "ok", "demo": True})


async def _label(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = FINGERPRINT


def _describe(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1_767_225_600, "owned_by": FINGERPRINT}


def _json(body: object, *, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


def _event(name: str, data: object) -> bytes:
    line = data.encode() if isinstance(data, str) else msgspec.json.encode(data)
    return (f"event: {name}\n".encode() if name else b"") + b"data: " + line + b"\n\n"


PAUSE = web.AppKey("pause", float)


def application(*, pause: float = 0.0) -> web.Application:
    """Make the server's application; ``pause`` in seconds between streamed words."""
    app = web.Application(middlewares=[_errors], client_max_size=BODY_LIMIT)
    app[PAUSE] = pause
    app.on_response_prepare.append(_label)
    app.router.add_get("/healthz", _health)
    app.router.add_get("/v1/models", _models)
    app.router.add_get("/v1/models/{name}", _model)
    app.router.add_post("/v1/embeddings", _embeddings)
    for path, api in APIS.items():
        app.router.add_post(path, _generate(api))
    return app


def main() -> None:
    """Serve until told to stop."""
    for name in language.ORDERS:
        language.load(name)
    port = int(os.environ.get("DEMO_MODEL_PORT", "8072"))
    pause = float(os.environ.get("DEMO_MODEL_PAUSE_MS", "15")) / 1000
    print(f"demo model on 127.0.0.1:{port}: {', '.join(language.ORDERS)}", file=sys.stderr)
    web.run_app(application(pause=pause), host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main()
