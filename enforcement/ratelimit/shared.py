"""Counting in Redis or Valkey, for all gateways together.

Commands that come at the same time travel together. A server that does not answer in time counts as away
and is asked again until it is back; nobody waits for it meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import NamedTuple
from uuid import uuid4

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from enforcement.ratelimit.commands import Command, Free, Hold, Outcome, Take

AGAIN_SECONDS = 0.2
LOOK_SECONDS = 0.5
AT_ONCE = 256
NAMES = ("take", "hold", "free", "renew")


class AwayError(Exception):
    """The shared counters cannot be asked; the text says why."""


class _Call(NamedTuple):
    script: str
    key: str
    arguments: tuple[str | int, ...]
    answer: asyncio.Future[Outcome]


class Shared:
    """The counters that all gateways share. ``wrong`` says why they are away, if they are.

    ``on_change`` is called when they go away or come back, ``on_lost`` when they came back without data.
    """

    def __init__(self, url: str, *, timeout: float, life: float, prefix: str) -> None:
        self._client = aioredis.Redis.from_url(
            url.replace("redis+socket://", "unix://", 1),
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
        )
        self._mark = f"{prefix}:epoch"
        self._timeout, self._life_ms = timeout, int(life * 1000)
        self._digests: dict[str, str] = {}
        self._waiting: list[_Call] = []
        self._sender: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self.wrong = "not asked yet"
        self._epoch = b""
        self.on_change: Callable[[], None] = lambda: None
        self.on_lost: Callable[[], None] = lambda: None

    @property
    def up(self) -> bool:
        """Whether they answered last."""
        return not self.wrong

    async def start(self) -> None:
        """Connect; if that fails, go on trying in the background."""
        try:
            await self._connect()
        except AwayError as error:
            self.wrong = str(error)
            self.on_change()
        self._watcher = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """End what runs in the background and close the connection."""
        for task in (self._sender, self._watcher):
            if task is not None:
                task.cancel()
        await self._client.aclose()

    async def run(self, command: Command, owed: int = 0) -> Outcome:
        """Run a command; ``owed`` hits of its subject are counted first.

        :raises AwayError: it is not known whether it was run.
        """
        match command:
            case Take():
                how = (command.amount, command.window_ms, command.burst, command.hits, int(command.force))
                return await self._call("take", command.key, (*how, owed))
            case Hold():
                place = (command.amount, self._life_ms, command.lease, command.places)
                return await self._call("hold", command.key, place)
            case Free():
                return await self._call("free", command.key, (command.lease, command.places))

    async def renew(self, key: str, leases: Mapping[str, int]) -> None:
        """Keep leases from lapsing.

        :raises AwayError: as for any command.
        """
        flat = [one for lease, places in leases.items() for one in (lease, places)]
        await self._call("renew", key, (self._life_ms, *flat))

    async def _call(self, script: str, key: str, arguments: tuple[str | int, ...]) -> Outcome:
        if not self.up:
            raise AwayError(self.wrong)
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Call(script, key, arguments, answer))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())
        return await answer

    async def _send(self) -> None:
        """Send what is waiting until nothing is; what came meanwhile goes together."""
        while self._waiting:
            calls, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            try:
                await self._send_together(calls, again=True)
            except AwayError as error:
                self._away(str(error))
                calls += self._waiting
                self._waiting = []
                for call in calls:
                    if not call.answer.done():
                        call.answer.set_exception(AwayError(str(error)))

    async def _send_together(self, calls: list[_Call], *, again: bool) -> None:
        lost = []
        for call, found in zip(calls, await self._ask(calls), strict=True):
            if isinstance(found, NoScriptError) and again:
                lost.append(call)
            elif not call.answer.done():
                self._settle(call, found)
        if lost:  # the server was emptied, or is another one
            await self._connect()
            await self._send_together(lost, again=False)

    def _settle(self, call: _Call, found: object) -> None:
        if isinstance(found, list):
            allowed, remaining, wait = map(int, found)
            call.answer.set_result(Outcome(allowed=allowed == 1, remaining=remaining, wait_ms=wait))
        else:  # full, read-only, of a cluster: it answers, and does not count
            why = f"{type(found).__name__}: {found}"
            self._away(why)
            call.answer.set_exception(AwayError(why))

    async def _ask(self, calls: list[_Call]) -> list[object]:
        try:
            async with asyncio.timeout(self._timeout):
                pipe = self._client.pipeline(transaction=False)
                for call in calls:
                    pipe.evalsha(self._digests[call.script], 1, call.key, *call.arguments)
                return list(await pipe.execute(raise_on_error=False))
        except (RedisError, OSError, TimeoutError) as error:
            raise AwayError(_told(error)) from error

    async def _connect(self) -> None:
        """Hand over the scripts, and look whether the data are still those that we left.

        :raises AwayError: it does not answer.
        """
        try:
            async with asyncio.timeout(self._timeout * 4):
                pipe = self._client.pipeline(transaction=False)
                for name in NAMES:
                    pipe.script_load(_script(name))
                pipe.set(self._mark, uuid4().hex, nx=True)
                pipe.get(self._mark)
                *digests, _, epoch = await pipe.execute()
        except (RedisError, OSError, TimeoutError) as error:
            raise AwayError(_told(error)) from error
        self._digests = dict(zip(NAMES, digests, strict=True))
        if self._epoch and epoch != self._epoch:
            self.on_lost()
        self._epoch = epoch
        if self.wrong:
            self.wrong = ""
            self.on_change()

    def _away(self, why: str) -> None:
        was_up, self.wrong = self.up, why
        if was_up:
            self.on_change()

    async def _watch(self) -> None:
        """Notice, asked or not, when the server goes away, comes back, or comes back empty."""
        while True:
            await asyncio.sleep(LOOK_SECONDS if self.up else AGAIN_SECONDS)
            try:
                await self._connect()
            except AwayError as error:
                self._away(str(error))


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


@cache
def _script(name: str) -> str:
    return (resources.files("enforcement.ratelimit") / "scripts" / f"{name}.lua").read_text()
