"""Getting what a policy names from whichever hub has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from enforcement import policy
from enforcement.agent.aside import aside
from enforcement.agent.attachments import Attachments
from enforcement.agent.hubs import Hub
from enforcement.agent.state import State

AWAITED, LOST = "attachments_awaited", "attachments_lost"
"""The problems: a policy that cannot be taken yet, and one in force of which the disk lost something."""


class Fetcher:
    """Brings missing attachments to the disk, one policy's at a time."""

    def __init__(self, attachments: Attachments, hubs: Sequence[Hub], state: State) -> None:
        self._attachments, self._hubs, self._state = attachments, hubs, state
        self._lock = asyncio.Lock()

    async def complete(self, addresses: frozenset[str], code: str) -> bool:
        """Get what is missing; tell whether all of it is at hand now.

        :param code: the problem that it is if not.
        """
        if addresses and not await self._got(addresses, code):
            return False
        self._state.solved(code)
        return True

    async def clean(self, needed: Callable[[], frozenset[str]]) -> None:
        """Remove what nobody needs, and nothing that is just being brought."""
        if not self._attachments.folder.exists():
            return
        async with self._lock:
            await asyncio.to_thread(self._attachments.clean, needed())

    async def _got(self, addresses: frozenset[str], code: str) -> bool:
        async with self._lock:  # another hub may have sent the same policy
            unread = self._attachments.unread(addresses)
            missing = await aside(unread, self._attachments.missing, addresses)
            found = await asyncio.gather(*(self._fetch(address, code) for address in missing))
        lacking = [address for address, ok in zip(missing, found, strict=True) if not ok]
        if lacking:
            self._state.problem(code, f"{len(lacking)} missing at every hub, first {lacking[0]}")
        return not lacking

    async def _fetch(self, address: str, code: str) -> bool:
        """Get one. What a policy awaits comes to the disk together with that policy."""
        for hub in sorted(self._hubs, key=lambda one: not one.up):
            raw = await hub.fetch(address)
            if raw is None:
                continue
            try:
                await aside(len(raw), self._attachments.save, address, raw, durable=code != AWAITED)
            except policy.PolicyError:
                continue  # this hub's is damaged; it notices by itself
            except OSError as error:
                self._state.problem("disk", f"{address} not stored: {error.strerror}")
                return False
            return True
        return False
