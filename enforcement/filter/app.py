"""The proxy as a raw ASGI application: decide again, rewrite, pass the answer through unbuffered."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from enforcement import policy, refusals
from enforcement.decide import Attributes, Verdict, decide, rank
from enforcement.envoy.gateway import Model
from enforcement.envoy.render import version_of
from enforcement.filter.policy_file import Watched
from enforcement.filter.rewriting import NotAcceptableError, parse, rewrite
from enforcement.reading import tools_offered

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

BODY_LIMIT = 10 * 1024 * 1024
CHUNK = 64 * 1024
UPSTREAM = aiohttp.ClientTimeout(total=None, connect=2, sock_read=300)
IDENTITY = ("user", "organisation", "key", "application", "use_case", "endpoint")
_OWN = {b"host", b"content-length", b"connection", b"transfer-encoding", b"expect", b"accept-encoding"}
_HOP = {b"connection", b"transfer-encoding", b"keep-alive", b"content-length", b"date", b"server"}


class RefusedError(Exception):
    """The request ends here."""

    def __init__(self, status: int, body: object, headers: Headers | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or []


class Filter:
    """The application. Only Envoy knows the secret; whoever does not bring it is refused."""

    _session: aiohttp.ClientSession  # made at the start of the lifespan, before any request

    def __init__(self, policy_file: Path, models_file: Path, secret_file: Path) -> None:
        self._policy = Watched(policy_file, policy.Policy)
        self._models = Watched(models_file, dict[str, Model])
        self._secret_file = secret_file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            try:
                await self._serve(scope, receive, send)
            except RefusedError as refused:
                await _answer(send, refused.status, refused.body, refused.headers)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._session = aiohttp.ClientSession(timeout=UPSTREAM, auto_decompress=False)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._session.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value.decode() for name, value in scope["headers"]}
        self._check_secret(headers)
        signed = self._policy.get()
        if signed is None:
            raise RefusedError(503, refusals.CLOSED)
        body = _parsed(await _body(receive))
        verdict, cause = _decided(headers, body, signed)
        model, told = self._model(verdict, body), _told(cause)
        rewritten = rewrite(
            body,
            verdict,
            endpoint=headers[_header("endpoint")],
            output_field=model.output_field if model else "",
        )
        if headers.get(b"x-irapp-probe") == "content":
            told.append((b"x-irapp-policy", _version(headers, signed)))
            return await _answer(send, 200, {"probe": "passed", "request": orjson.loads(rewritten)}, told)
        if model is None:
            raise RefusedError(404, refusals.NOT_FOUND)
        await self._forward(scope, send, model, rewritten, told)
        return None

    def _check_secret(self, headers: dict[bytes, str]) -> None:
        given = headers.get(b"x-irapp-secret", "")
        try:
            expected = self._secret_file.read_text().strip()
        except OSError:
            expected = ""
        if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
            raise RefusedError(403, refusals.NOT_ENVOY)

    def _model(self, verdict: Verdict, body: dict[str, object]) -> Model | None:
        name = verdict.reroute_to or body["model"]
        return (self._models.get() or {}).get(str(name))

    async def _forward(self, scope: Scope, send: Send, model: Model, body: bytes, told: Headers) -> None:
        query = scope["query_string"].decode()
        url = f"http://{model.upstream}{scope['path']}" + (f"?{query}" if query else "")
        headers = [
            (name.decode(), value.decode())
            for name, value in scope["headers"]
            if name not in _OWN and not name.startswith(b"x-irapp-")
        ]
        try:
            async with self._session.post(url, data=body, headers=headers) as response:
                await _relay(response, send, told)
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            raise RefusedError(503, refusals.UNAVAILABLE) from error


async def _relay(response: aiohttp.ClientResponse, send: Send, told: Headers) -> None:
    """Hand on every chunk as it comes. A model that breaks off leaves an answer that visibly broke off."""
    kept = [(name, value) for name, value in response.raw_headers if name.lower() not in _HOP]
    await send({"type": "http.response.start", "status": response.status, "headers": kept + told})
    async for chunk in response.content.iter_any():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _decided(
    headers: dict[bytes, str], body: dict[str, object], signed: policy.Policy
) -> tuple[Verdict, str | None]:
    """Decide as Envoy did, on a policy at least as new; give the correction that changes the request."""
    attributes = _attributes(headers, body)
    verdict = decide(attributes, signed.content, now=datetime.now(UTC))
    by_id = {item.id: item for item in signed.content.corrections}
    if verdict.action == "refuse":
        item = by_id[verdict.correction or ""]
        told = [(b"x-irapp-correction", item.id.encode())]
        raise RefusedError(verdict.status, refusals.refusal(item), told)
    changing = [
        by_id[name]
        for name in verdict.matched
        if isinstance(by_id[name].effect, policy.Reroute | policy.OutputCap)
    ]
    return verdict, min(changing, key=rank).id if changing else None


def _attributes(headers: dict[bytes, str], body: dict[str, object]) -> Attributes:
    known = {name: headers.get(_header(name)) for name in IDENTITY}
    if None in known.values() or not isinstance(body.get("model"), str):
        raise RefusedError(400, refusals.INVALID_JSON)
    return Attributes(
        **known,  # type: ignore[arg-type]
        model=str(body["model"]),
        tools=tools_offered(body),
        stream=body.get("stream") is True,
    )


def _version(headers: dict[bytes, str], signed: policy.Policy) -> bytes:
    """Tell a probe which policy Envoy decided by; another one here is no proof of anything."""
    envoys, own = headers.get(b"x-irapp-policy", ""), version_of(signed)
    return (envoys if envoys == own else f"{envoys}, filter {own}").encode()


def _parsed(raw: bytes) -> dict[str, object]:
    try:
        return parse(raw)
    except NotAcceptableError as error:
        raise RefusedError(400, refusals.INVALID_JSON) from error


def _header(name: str) -> bytes:
    return f"x-irapp-{name.replace('_', '-')}".encode()


def _told(cause: str | None) -> Headers:
    return [(b"x-irapp-correction", cause.encode())] if cause else []


async def _body(receive: Receive) -> bytes:
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


async def _answer(send: Send, status: int, body: object, more: Headers) -> None:
    raw = orjson.dumps(body)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(raw)).encode()),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": raw})
