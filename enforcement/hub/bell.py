"""How those who wait for a change are woken."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Bell:
    """Rung on every change; wakes everybody at once. After ``close`` nobody waits any longer."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._closed = False

    def ring(self) -> None:
        """Wake everybody who waits."""
        self._event.set()
        if not self._closed:
            self._event = asyncio.Event()

    def close(self) -> None:
        """Wake everybody for good: the server is about to stop."""
        self._closed = True
        self._event.set()

    @property
    def closed(self) -> bool:
        """Nobody is to wait."""
        return self._closed

    async def wait(self, seconds: float) -> None:
        """Return at the next ring, or after that time. Take what you compare with *before* calling it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0)):
                await self._event.wait()
