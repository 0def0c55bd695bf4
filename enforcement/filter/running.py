"""The answers that are running, and how a new policy ends some of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from enforcement import policy
from enforcement.decide import Attributes, rank
from enforcement.filter.current import Current, Ready, now
from enforcement.filter.ending import ending
from enforcement.filter.request import Asked

POLL_SECONDS = 0.1


@dataclass(eq=False)
class Running:
    """One answer on its way. It meets the model that was asked for and the one that answers."""

    attributes: tuple[Attributes, ...]
    known: frozenset[str]
    task: asyncio.Task[object]
    ended_by: policy.Correction | None = None
    left: bool = False

    def end(self, correction: policy.Correction) -> None:
        """Break it off, also while it waits for the model or for its reader."""
        if self.ended_by is None:
            self.ended_by = correction
            self.task.cancel()

    def leave(self) -> None:
        """Break it off, since its reader has gone."""
        self.left = True
        self.task.cancel()


@dataclass
class Halting:
    """Ends what a correction ends, as soon as the policy says so or its time has come."""

    current: Current
    running: set[Running] = field(default_factory=set)

    async def begin(self, request: Asked) -> Running:
        """Note an answer that begins: what reached it when it was decided about will not end it.

        Between the decision and now filters have looked into the request. What has come meanwhile, by a
        newer policy or by the clock, ends it at once: the watch may have passed it by.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - called from a request
        attributes = (request.attributes, request.answering)
        known = frozenset(item.id for item in ending(request.ready, attributes, request.decided_at))
        one = Running(attributes, known, task)
        newest = await self.current.get() or request.ready
        self.running.add(one)  # nothing is waited for from here on: a still newer policy finds it
        _check(one, newest, now())
        return one

    async def watch(self) -> None:
        """Look for ever."""
        seen: Ready | None = None
        due: datetime | None = None
        while True:
            ready, moment = await self.current.get(), now()
            if ready is not None and (ready is not seen or (due is not None and moment >= due)):
                self._sweep(ready, moment)
                seen, due = ready, ready.next_change(moment)
            await asyncio.sleep(POLL_SECONDS)

    def _sweep(self, ready: Ready, moment: datetime) -> None:
        if not ready.ending:
            return
        for one in list(self.running):
            _check(one, ready, moment)


def _check(one: Running, ready: Ready, moment: datetime) -> None:
    new = [item for item in ending(ready, one.attributes, moment) if item.id not in one.known]
    if new:
        one.end(min(new, key=rank))
