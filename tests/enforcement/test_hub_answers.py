"""Odd answers of a hub, or of what stands before it: the agent notes them and goes on."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest
from aiohttp import web

from enforcement.agent.hubs import Hub
from enforcement.agent.state import State


@asynccontextmanager
async def standing_in(handler):
    """Serve in the place of a hub; give the agent's side of it."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with aiohttp.ClientSession() as session:
            state = State("gateway-1")
            yield Hub(session, f"http://127.0.0.1:{runner.addresses[0][1]}", "token", state), state
    finally:
        await runner.cleanup()


def problems(state):
    return {problem.code.split(":")[0]: problem.detail for problem in state.report().problems}


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; charset=hex", "text/plain; charset=none"])
def test_a_refusal_in_no_known_letters_is_noted(kind):
    async def answer(_request):
        return web.Response(status=502, body=b"away \xff\xfe", headers={"content-type": kind})

    async def scenario():
        async with standing_in(answer) as (hub, state):
            return await hub.post("/v1/status", b"{}"), problems(state)

    done, found = asyncio.run(scenario())

    assert not done
    assert "502 away" in found["hub"]


@pytest.mark.parametrize(
    "date",
    ["Sun, 22 Nov 2026 08:00:00", "Sun, 22 Nov 2026 08:00:00 -0000", "Sun, 22 Nov 2026 99:00:00 GMT", "-"],
)
def test_a_date_that_tells_no_time_is_not_compared(date):
    async def answer(_request):
        return web.Response(headers={"date": date})

    async def scenario():
        async with standing_in(answer) as (hub, state):
            return await hub.post("/v1/status", b"{}"), problems(state)

    assert asyncio.run(scenario()) == (b"", {})


def test_a_policy_that_breaks_its_reader_is_noted_and_asked_for_again():
    async def answer(_request):
        return web.Response(body=b"{}", headers={"etag": '"1"'})

    async def scenario():
        again = asyncio.Event()
        tries = []

        async def take(raw):
            tries.append(raw)
            if len(tries) == 1:
                raise LookupError("unforeseen")
            again.set()
            await asyncio.Event().wait()

        async with standing_in(answer) as (hub, state):
            following = asyncio.create_task(hub.follow(take))
            await asyncio.wait([following, waiting := asyncio.create_task(again.wait())], timeout=5,
                               return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
            found = problems(state)
            for task in (following, waiting):
                task.cancel()
            ended = await asyncio.gather(following, waiting, return_exceptions=True)
            return tries, found, ended[0]

    tries, found, ended = asyncio.run(scenario())

    assert tries == [b"{}", b"{}"]
    assert "unforeseen" in found["hub"]
    assert isinstance(ended, asyncio.CancelledError)


def test_a_hub_with_the_right_time_does_not_hush_up_what_another_one_showed():
    def dated(moment):
        async def answer(_request):
            return web.Response(headers={"date": format_datetime(moment(), usegmt=True)})

        return answer

    wrong, right = timedelta(minutes=7), timedelta()
    off = [wrong]

    async def scenario():
        async with (
            standing_in(dated(lambda: datetime.now(UTC) + off[0])) as (one, state),
            standing_in(dated(lambda: datetime.now(UTC))) as (other, _),
        ):
            other._state = state
            told = []
            for hub in (one, other, one):
                await hub.post("/v1/status", b"{}")
                told.append("clock" in problems(state))
            off[0] = right
            await one.post("/v1/status", b"{}")
            return told, "clock" in problems(state)

    assert asyncio.run(scenario()) == ([True, True, True], False)
