"""As much HTTP as the hub needs, on bare ASGI."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping

    Message: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[Message]]
    Send: TypeAlias = Callable[[Message], Awaitable[None]]

JSON = "application/json"


class ProblemError(Exception):
    """A request that is refused: problem details (RFC 9457) with a stable code."""

    def __init__(self, status: int, code: str, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.more = more

    def response(self) -> Response:
        """Give the answer."""
        body = {
            "type": f"urn:irapp:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": str(self),
            "code": self.code,
            **self.more,
        }
        headers = {"www-authenticate": "Bearer"} if self.status == HTTPStatus.UNAUTHORIZED else {}
        return Response(msgspec.json.encode(body), self.status, "application/problem+json", headers)


@dataclass(frozen=True)
class Response:
    """An answer with its whole body."""

    body: bytes = b""
    status: int = 200
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    async def send(self, send: Send) -> None:
        """Put it on the wire."""
        headers = {"cache-control": "no-store", **self.headers}
        if self.body:
            headers |= {"content-type": self.content_type, "content-length": str(len(self.body))}
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        await send({"type": "http.response.body", "body": self.body})


class Request:
    """A request; its body is read only by who wants it."""

    def __init__(self, scope: MutableMapping[str, Any], receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._query: bytes = scope["query_string"]
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]
        self.gateway = ""
        """The gateway that the caller's token is bound to, if it is."""
        self._receive = receive

    def header(self, name: str) -> str:
        """Give a header, or nothing."""
        wanted = name.encode()
        return next((value.decode("latin-1") for key, value in self._headers if key == wanted), "")

    def query(self, name: str) -> str:
        """Give a parameter of the address, or nothing."""
        return parse_qs(self._query.decode("latin-1")).get(name, [""])[-1]

    def number(self, name: str, *, default: int, most: int) -> int:
        """Give a parameter that is a number; a larger one than ``most`` counts as that.

        :raises ProblemError: not a number.
        """
        text = self.query(name) or str(default)
        if not text.isdecimal() or not text.isascii() or len(text) > 18:  # noqa: PLR2004 - fits 64 bits
            raise ProblemError(400, "bad_query", f"{name}: must be a whole number, not negative")
        return min(int(text), most)

    async def body(self, *, most: int) -> bytes:
        """Read the body.

        :raises ProblemError: it is larger than ``most`` bytes, or was cut off.
        """
        return b"".join([part async for part in self.parts(most=most)])

    async def parts(self, *, most: int) -> AsyncIterator[bytes]:
        """Read the body piece by piece, as it comes.

        :raises ProblemError: it is larger than ``most`` bytes, or was cut off.
        """
        declared = self.header("content-length")
        if declared.isdecimal() and int(declared) > most:
            raise _too_large(most)
        length, more = 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ProblemError(400, "incomplete_body", "The connection ended before the body did.")
            part: bytes = message.get("body", b"")
            length += len(part)
            more = message.get("more_body", False)
            if length > most:
                raise _too_large(most)
            yield part


def _too_large(most: int) -> ProblemError:
    return ProblemError(413, "body_too_large", f"The body may have {most} bytes.")


def json_response(value: object, *, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON."""
    return Response(msgspec.json.encode(value), headers=headers or {})
