"""Watching the gateway's Envoy: the places of requests that ended with it are free again."""

from __future__ import annotations

import asyncio
import errno
from time import monotonic

import aiohttp
import msgspec

from enforcement.ratelimit.limiter import Limiter

SECONDS = 2.0
GRACE_SECONDS = 1.0
FILTER = "^(server.uptime|http.irapp.downstream_rq_active)$"
TIMEOUT = aiohttp.ClientTimeout(total=2)


class _Stat(msgspec.Struct):
    name: str = ""
    value: int = 0


class _Stats(msgspec.Struct):
    stats: list[_Stat]


async def watch(limiter: Limiter, admin: str, session: aiohttp.ClientSession) -> None:
    """Free the places of requests that are gone without a word, for ever."""
    while True:
        await asyncio.sleep(SECONDS)
        before = await gone_before(admin, session)
        if before is not None:
            await limiter.drop_leases(before)


async def gone_before(admin: str, session: aiohttp.ClientSession) -> float | None:
    """Give the moment before which no request can have begun that is still running, if anybody knows."""
    asked = monotonic()
    try:
        async with session.get(f"{admin}/stats", params={"format": "json", "filter": FILTER}) as answer:
            raw = await answer.read()
            found = {one.name: one.value for one in msgspec.json.decode(raw, type=_Stats).stats}
    except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
        return asked - GRACE_SECONDS if _nobody_listens(error) else None
    if found.get("http.irapp.downstream_rq_active", 1) == 0:
        return asked - GRACE_SECONDS
    uptime = found.get("server.uptime")
    return None if uptime is None else asked - uptime - GRACE_SECONDS - 1


def _nobody_listens(error: Exception) -> bool:
    """Tell whether Envoy is gone, and its requests with it; no way to it says nothing of them."""
    return isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno == errno.ECONNREFUSED
