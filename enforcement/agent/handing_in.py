"""Handing the attributes of requests to the hubs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from enforcement.agent.admin import Admin
from enforcement.agent.hubs import Hub
from enforcement.agent.state import State
from enforcement.agent.traffic import AccessLog
from enforcement.report import TrafficBatch, TrafficRecord

PAUSE_SECONDS = 0.3


class HandingIn:
    """Reads the logs and moves on only when a hub has what was read."""

    def __init__(self, log: AccessLog, hubs: Sequence[Hub], admin: Admin, state: State) -> None:
        self._log, self._hubs, self._admin, self._state = log, hubs, admin, state

    async def run(self) -> None:
        """Hand in for ever."""
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                while await self._one_batch():
                    pass
                self._state.solved("access_log")
            except OSError as error:
                self._state.problem("access_log", str(error))

    async def _one_batch(self) -> bool:
        batch = await asyncio.to_thread(self._log.read)
        if batch.records and not await self._sent(batch.records):
            return False
        self._log.done(batch)
        if batch.refused:
            self._state.changed.set()
        if self._log.rotate():
            await self._admin.reopen_logs()
        return bool(batch.records)

    async def _sent(self, records: Sequence[TrafficRecord]) -> bool:
        """Give every hub that answers the records; tell whether one of them has them."""
        body = msgspec.json.encode(TrafficBatch(gateway=self._log.gateway, records=tuple(records)))
        there = [hub for hub in self._hubs if hub.up] or self._hubs
        return any(await asyncio.gather(*(hub.post("/v1/traffic", body) for hub in there)))
