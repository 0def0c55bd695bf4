"""Handing the attributes of requests to the hubs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from enforcement.agent.admin import Admin
from enforcement.agent.followed import Batch, Followed
from enforcement.agent.hubs import TAKEN_ALL, TOLD_SECONDS, UNFORESEEN, Hub, hand_in
from enforcement.agent.state import State
from enforcement.agent.traffic import AccessLog, filter_events
from enforcement.report import TrafficRecord, TrafficTaken

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

    def left_out(self) -> int:
        """Count the records that no hub keeps."""
        return sum(log.left_out for log in self.followed)


class HandingIn:
    """Reads the logs and moves on only when a hub has what was read."""

    def __init__(self, logs: Logs, hubs: Sequence[Hub], admin: Admin, state: State) -> None:
        self._logs, self._hubs, self._admin, self._state = logs, hubs, admin, state
        self.on_records: Callable[[Sequence[TrafficRecord]], Awaitable[None]] | None = None

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
            except UNFORESEEN as error:
                self._state.problem("access_log", str(error))

    async def _one_batch(self, log: Followed) -> bool:
        batch = await asyncio.to_thread(log.read)
        gateway, records = self._logs.gateway, batch.records
        taken = await hand_in(self._hubs, gateway, records) if records else TAKEN_ALL
        if taken is None:
            return False
        log.done(batch, left_out=taken.left_out)
        self._tell_left_out(batch, taken)
        if batch.refused:
            self._state.changed.set()
        if log is self._logs.access and self.on_records:
            await self.on_records(records)
        return bool(batch.records)

    def _tell_left_out(self, batch: Batch, taken: TrafficTaken) -> None:
        """Tell what would be left out again however often it was handed in."""
        why = [*batch.unreadable, *(each.reason for each in taken.examples)]
        if why:
            detail = f"{self._logs.left_out()} records are not in the decision log; of the last: {why[-1]}"
            self._state.news("traffic_left_out", detail, seconds=TOLD_SECONDS)
