"""Shared counters while they answer, this gateway's own while they do not, and back without losing count."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from enforcement.ratelimit.commands import Command, Free, Hold, Outcome, Take
from enforcement.ratelimit.memory import Memory, clock
from enforcement.ratelimit.shared import AwayError, Shared

if TYPE_CHECKING:
    from enforcement.report import Basis

SWEEP_SECONDS = 30.0
log = structlog.get_logger(__name__)


class Limiter:
    """Counts. What is counted in Redis is counted in memory too, which can take over at any moment."""

    def __init__(self, shared: Shared | None, *, life: float, longest: float) -> None:
        self._shared, self._own = shared, Memory()
        self._life, self._longest = life, longest
        self._unpaid: dict[str, int] = {}
        self._back = asyncio.Event()
        if shared is not None:
            shared.on_lost = self._lost
            shared.on_change = self._changed

    @property
    def basis(self) -> Basis:
        """What is counted by: all gateways together, or this one alone."""
        return "global" if self._shared is not None and self._shared.up else "gateway"

    @property
    def wrong(self) -> str:
        """Why only this gateway is counted, if so."""
        return self._shared.wrong if self._shared is not None else "REDIS_URL is not set"

    async def run(self, command: Command) -> Outcome:
        """Run a command by the best counters there are."""
        if self._shared is not None and self._shared.up:
            since = self._unpaid.pop(command.key, None)
            owed = self._own.counted_since(command.key, since) if since is not None else 0
            try:
                outcome = await self._shared.run(command, owed)
            except AwayError:
                if since is not None:
                    self._unpaid[command.key] = since
            else:
                self._note(command, outcome)
                return outcome
        return self._run_own(command)

    def _note(self, command: Command, outcome: Outcome) -> None:
        """Count here what was counted there."""
        match command:
            case Take(hits=hits) if hits and (outcome.allowed or command.force):
                self._own.take(_forced(command))
            case Hold() if outcome.allowed:
                self._own.hold(command, force=True)
            case Free():
                self._own.free(command)

    def _run_own(self, command: Command) -> Outcome:
        match command:
            case Take():
                since = clock()  # before it is taken, or the first one would never be told
                outcome = self._own.take(command)
                if command.hits and (outcome.allowed or command.force):
                    self._unpaid.setdefault(command.key, since)
                return outcome
            case Hold():
                return self._own.hold(command)
            case Free():
                return self._own.free(command)

    def _changed(self) -> None:
        log.warning("limits are counted", basis=self.basis, why=self.wrong)
        if self.basis == "global":
            self._back.set()

    def _lost(self) -> None:
        """Tell Redis again, subject by subject, what this gateway let through."""
        self._unpaid = dict.fromkeys(self._own.counted(), 0)

    async def keep(self) -> None:
        """Renew the leases of running requests and forget what is past, for ever."""
        swept = monotonic()
        while True:
            await _until_set(self._back, self._life / 3)
            self._back.clear()
            await self.drop_leases(monotonic() - self._longest)
            await self._renew()
            if monotonic() - swept > SWEEP_SECONDS:
                self._own.sweep()
                swept = monotonic()

    async def drop_leases(self, before: float) -> int:
        """Free the places of requests that began before a moment and cannot be running any more."""
        old = self._own.drop_leases(before)
        for one in old:
            await self.run(one)
        return len(old)

    async def _renew(self) -> None:
        if self._shared is None or not self._shared.up:
            return
        try:
            for key, leases in list(self._own.held()):
                await self._shared.renew(key, leases)
        except AwayError:
            return


def _forced(take: Take) -> Take:
    return Take(key=take.key, amount=take.amount, window_ms=take.window_ms, hits=take.hits, force=True)


async def _until_set(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
