"""Handing the attributes of requests to the hubs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from enforcement.agent.admin import Admin
from enforcement.agent.followed import Followed
from enforcement.agent.hubs import Hub
from enforcement.agent.state import State
from enforcement.agent.traffic import AccessLog, filter_events
from enforcement.report import TrafficBatch, TrafficRecord

PAUSE_SECONDS = 0.3


class Logs:
    """What tells of requests at one gateway."""

    def __init__(self, state: Path, gateway: str) -> None:
        self.gateway = gateway
        self.access = AccessLog(state / "envoy", gateway)
        self.followed: tuple[Followed, ...] = (self.access, filter_events(state, state / "envoy", gateway))

    def refused(self) -> dict[str, int]:
        """Count what each correction refused, or would have."""
        return dict(sum((log.refused for log in self.followed), Counter[str]()))


class HandingIn:
    """Reads the logs and moves on only when a hub has what was read."""

    def __init__(self, logs: Logs, hubs: Sequence[Hub], admin: Admin, state: State) -> None:
        self._logs, self._hubs, self._admin, self._state = logs, hubs, admin, state

    async def run(self) -> None:
        """Hand in for ever."""
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                for log in self._logs.followed:
                    while await self._one_batch(log):
                        pass
                if self._logs.access.rotate():
                    await self._admin.reopen_logs()
                self._state.solved("access_log")
            except OSError as error:
                self._state.problem("access_log", str(error))

    async def _one_batch(self, log: Followed) -> bool:
        batch = await asyncio.to_thread(log.read)
        if batch.records and not await self._sent(batch.records):
            return False
        log.done(batch)
        if batch.refused:
            self._state.changed.set()
        return bool(batch.records)

    async def _sent(self, records: Sequence[TrafficRecord]) -> bool:
        """Give every hub that answers the records; tell whether one of them has them."""
        body = msgspec.json.encode(TrafficBatch(gateway=self._logs.gateway, records=tuple(records)))
        there = [hub for hub in self._hubs if hub.up] or self._hubs
        return any(await asyncio.gather(*(hub.post("/v1/traffic", body) for hub in there)))
