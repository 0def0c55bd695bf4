"""The two doors: Envoy's gRPC questions, and ``GET /basis`` for the agent and for people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import grpc
import grpc.aio
import msgspec
from aiohttp import web

from enforcement.ratelimit import gateway
from enforcement.ratelimit.config import Settings, SettingsError
from enforcement.ratelimit.limiter import Limiter
from enforcement.ratelimit.rules import AskError
from enforcement.ratelimit.service import Service
from enforcement.ratelimit.shared import Shared
from enforcement.ratelimit.wire.ratelimit_pb2 import Request, Response
from enforcement.report import Basis

SERVICE = "envoy.service.ratelimit.v3.RateLimitService"


class Told(msgspec.Struct, kw_only=True, frozen=True):
    """What ``GET /basis`` answers."""

    basis: Basis
    detail: str = ""
    asked: int = 0
    refused: int = 0
    charged_tokens: int = 0


async def serve(settings: Settings) -> None:
    """Serve until cancelled.

    :raises SettingsError: a port is taken.
    """
    async with AsyncExitStack() as stack:
        shared = _shared(settings) if settings.redis else None
        limiter = Limiter(shared, life=settings.life, longest=settings.longest)
        if shared is not None:
            stack.push_async_callback(shared.close)
            await shared.start()
        service = Service(limiter, settings.prefix)
        await stack.enter_async_context(_questions(service, settings))
        await stack.enter_async_context(_admin(service, settings))
        async with asyncio.TaskGroup() as group:
            group.create_task(limiter.keep())
            if settings.envoy:
                session = await stack.enter_async_context(aiohttp.ClientSession(timeout=gateway.TIMEOUT))
                group.create_task(gateway.watch(limiter, settings.envoy, session))


def _shared(settings: Settings) -> Shared:
    return Shared(settings.redis, timeout=settings.timeout, life=settings.life, prefix=settings.prefix)


@asynccontextmanager
async def _questions(service: Service, settings: Settings) -> AsyncIterator[None]:
    async def should_rate_limit(
        request: Request, context: grpc.aio.ServicerContext[Request, Response]
    ) -> Response:
        try:
            return await service.answer(request)
        except AskError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            raise

    handler = grpc.unary_unary_rpc_method_handler(
        should_rate_limit,
        request_deserializer=Request.FromString,
        response_serializer=Response.SerializeToString,
    )
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, {"ShouldRateLimit": handler}),)
    )
    try:
        server.add_insecure_port(f"{settings.host}:{settings.port}")
    except RuntimeError as error:
        raise SettingsError(f"RATELIMIT_PORT: cannot listen on {settings.port}") from error
    await server.start()
    try:
        yield
    finally:
        await server.stop(grace=1)


@asynccontextmanager
async def _admin(service: Service, settings: Settings) -> AsyncIterator[None]:
    async def basis(_request: web.Request) -> web.Response:
        return web.Response(body=msgspec.json.encode(told(service)), content_type="application/json")

    app = web.Application()
    app.router.add_get("/basis", basis)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.admin_port).start()
    except OSError as error:
        raise SettingsError(f"RATELIMIT_ADMIN_PORT: {error.strerror}") from error
    try:
        yield
    finally:
        await runner.cleanup()


def told(service: Service) -> Told:
    """Say what limits are counted by, and how much was counted."""
    counts, limiter = service.counts, service.limiter
    return Told(
        basis=limiter.basis,
        detail=limiter.wrong,
        asked=counts.asked,
        refused=counts.refused,
        charged_tokens=counts.charged,
    )
