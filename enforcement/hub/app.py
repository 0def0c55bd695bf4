"""The hub's application: routes, and what each of them does."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec
import structlog

from enforcement import policy
from enforcement.hub import batches, disk, openapi
from enforcement.hub.access import check_speaks_for
from enforcement.hub.attachments import PREFIX as ATTACHMENTS
from enforcement.hub.attachments import Attachments
from enforcement.hub.bell import Bell
from enforcement.hub.http import JSON, ProblemError, Request, Response, json_response
from enforcement.hub.shelf import Shelf
from enforcement.hub.statuses import Statuses, check_name
from enforcement.hub.traffic import Traffic
from enforcement.report import GatewayReport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from enforcement.hub.access import Role
    from enforcement.hub.config import Settings
    from enforcement.hub.http import Receive, Send

POLICY_BYTES = 64_000_000
REPORT_BYTES = 16_000_000
TRAFFIC_BYTES = 16_000_000
WAIT_SECONDS = 25
PAGE_RECORDS = 10_000
log = structlog.get_logger()
T = TypeVar("T")


class Route(NamedTuple):
    """What answers, and whose token it takes; nobody's means that it is open."""

    handle: Callable[[Request], Awaitable[Response]]
    allowed: tuple[Role, ...] = ()


class Hub:
    """The ASGI application."""

    def __init__(self, settings: Settings) -> None:
        self._access = settings.access
        self._policy_bell, self._status_bell = Bell(), Bell()
        state = disk.private_folder(settings.state)
        attachments = Attachments(state / "attachments")
        self._shelf = Shelf(state, settings.keys, self._policy_bell, attachments)
        self._statuses = Statuses(state, self._status_bell)
        self._traffic = Traffic(state / "traffic", most=settings.traffic_records)
        self._routes: dict[str, dict[str, Route]] = {
            "/v1/policy": {
                "GET": Route(self._get_policy, ("agent", "control")),
                "PUT": Route(self._put_policy, ("control",)),
            },
            "/v1/status": {
                "GET": Route(self._get_status, ("control",)),
                "POST": Route(self._post_status, ("agent",)),
            },
            "/v1/traffic": {
                "GET": Route(self._get_traffic, ("control",)),
                "POST": Route(self._post_traffic, ("agent",)),
            },
            ATTACHMENTS: {
                "GET": Route(attachments.get, ("agent", "control")),
                "HEAD": Route(attachments.head, ("agent", "control")),
                "PUT": Route(attachments.put, ("control",)),
            },
            "/healthz": {"GET": Route(self._get_health)},
            "/openapi.json": {"GET": Route(_get_openapi)},
        }

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ProblemError as problem:
            if problem.status in {401, 403}:
                log.warning("refused", code=problem.code, method=request.method, path=request.path)
            response = problem.response()
        await response.send(send)

    def close(self) -> None:
        """Send everybody home who waits: the server is about to stop."""
        self._policy_bell.close()
        self._status_bell.close()

    async def _answer(self, request: Request) -> Response:
        path = ATTACHMENTS if request.path.startswith(ATTACHMENTS) else request.path
        methods = self._routes.get(path)
        if methods is None:
            raise ProblemError(404, "not_found", f"There is nothing at {request.path}.")
        route = methods.get(request.method)
        if route is None:
            raise ProblemError(405, "method_not_allowed", f"This takes {' and '.join(methods)}.")
        if route.allowed:
            self._access.check(request, route.allowed)
        return await route.handle(request)

    async def _put_policy(self, request: Request) -> Response:
        stored = await self._shelf.put(await request.body(most=POLICY_BYTES))
        return json_response(stored.ref, headers={"etag": stored.etag})

    async def _get_policy(self, request: Request) -> Response:
        known = request.header("if-none-match")
        await _until(
            self._policy_bell,
            lambda: self._has_news(known),
            seconds=request.number("wait", default=0, most=WAIT_SECONDS),
        )
        current = self._shelf.current
        if current is None:
            raise ProblemError(404, "no_policy", "No policy has been stored yet.")
        if not self._has_news(known):
            return Response(status=304, headers={"etag": current.etag})
        return Response(current.raw, content_type=JSON, headers={"etag": current.etag})

    def _has_news(self, known: str) -> bool:
        """Say whether the policy is news to who has the tagged one. An older one never is."""
        current = self._shelf.current
        if current is None or known == current.etag:
            return False
        version = known.strip('"').partition("-")[0]
        return not (version.isdecimal() and len(version) < 20 and int(version) > current.ref.version)  # noqa: PLR2004

    async def _post_status(self, request: Request) -> Response:
        read = partial(policy.parse, kind=GatewayReport)
        report = _read(await request.body(most=REPORT_BYTES), read, code="bad_report")
        check_name(report.gateway)
        check_speaks_for(request, (report.gateway,))
        self._statuses.take(report)
        await self._statuses.keep(report.gateway)
        return Response(status=204)

    async def _get_status(self, request: Request) -> Response:
        known = request.header("if-none-match")
        await _until(
            self._status_bell,
            lambda: known != self._status_tag(),
            seconds=request.number("wait", default=0, most=WAIT_SECONDS),
            at_least_every=self._statuses.next_silence,
        )
        headers = {"etag": self._status_tag()}
        if known == headers["etag"]:
            return Response(status=304, headers=headers)
        return json_response(
            {"policy": self._shelf.whole(), "gateways": self._statuses.all()}, headers=headers
        )

    def _status_tag(self) -> str:
        whole = self._shelf.whole()
        return f'"{whole.version if whole else 0}-{self._statuses.tag}"'

    async def _post_traffic(self, request: Request) -> Response:
        batch, taken = _read(await request.body(most=TRAFFIC_BYTES), batches.read, code="bad_traffic")
        check_speaks_for(request, (batch.gateway, *{record.gateway for record in batch.records}))
        await self._traffic.add(batch.records)
        if not taken.left_out:
            return Response(status=204)
        log.warning("traffic_left_out", gateway=batch.gateway, **msgspec.to_builtins(taken))
        return json_response(taken)

    async def _get_traffic(self, request: Request) -> Response:
        page = await self._traffic.page(
            after=request.number("after", default=0, most=2**62),
            limit=max(request.number("limit", default=1000, most=PAGE_RECORDS), 1),
        )
        records = [msgspec.Raw(record) for record in page.records]
        return json_response({"records": records, "cursor": str(page.cursor), "lost": page.lost})

    async def _get_health(self, _request: Request) -> Response:
        current, problems = self._shelf.current, self._shelf.found_wrong()
        return json_response(
            {
                "status": "degraded" if problems else "ok",
                "policy": current.ref if current else None,
                "problems": problems,
            }
        )


async def _get_openapi(_request: Request) -> Response:
    return json_response(openapi.document())


def _read(raw: bytes, read: Callable[[bytes], T], *, code: str) -> T:
    try:
        return read(raw)
    except policy.PolicyError as error:
        raise ProblemError(422, code, str(error)) from error


async def _until(
    bell: Bell,
    news: Callable[[], bool],
    *,
    seconds: float,
    at_least_every: Callable[[], float] = lambda: WAIT_SECONDS,
) -> None:
    """Wait until there is news, but no longer than that, and not while the server is stopping."""
    until = time.monotonic() + seconds
    while not news() and not bell.closed and (left := until - time.monotonic()) > 0:
        await bell.wait(min(left, at_least_every()))
