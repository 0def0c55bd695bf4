"""An agent inside the test's own process, with a real Envoy."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import aiohttp

from enforcement.agent.agent import Agent
from enforcement.agent.config import from_environment


@asynccontextmanager
async def started(world):
    settings = from_environment(world.agent_environment())
    async with aiohttp.ClientSession() as session:
        agent = Agent(settings, session)
        await agent.start()
        try:
            while not await agent.admin.live():  # noqa: ASYNC110 - Envoy tells nobody when it is up
                await asyncio.sleep(0.02)
            yield agent
        finally:
            await agent.process.stop()
