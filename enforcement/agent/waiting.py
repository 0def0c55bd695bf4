"""Waiting that ends."""

from __future__ import annotations

import asyncio


async def until_set(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, but not for ever; tell whether it came.

    ``asyncio.wait_for`` can lose a cancellation before Python 3.12, and an agent must stop when told.
    """
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
