"""One LISTEN connection for the whole process, and everybody who waits on it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg2
import structlog

from irapp.audit.listening import listen

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger(__name__)

RECONNECT = 1.0
"""Seconds between attempts while PostgreSQL is away."""


@dataclass(eq=False)
class Subscriber:
    """An open page: the topics it asked for and the hints that wait for it. None means: fetch all again."""

    topics: frozenset[str]
    waiting: asyncio.Queue[dict[str, Any] | None] = field(default_factory=lambda: asyncio.Queue(maxsize=100))

    def tell(self, hint: dict[str, Any] | None) -> None:
        """Queue a hint; whoever does not keep up is told to fetch everything instead."""
        if self.waiting.full():
            while not self.waiting.empty():
                self.waiting.get_nowait()
            hint = None
        self.waiting.put_nowait(hint)


class Listener:
    """Hears what transactions told with ``pg_notify`` and passes it on; reconnects by itself."""

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._lost = asyncio.Event()

    @contextlib.contextmanager
    def subscribed(self, topics: frozenset[str]) -> Iterator[Subscriber]:
        """Wait for hints about these topics."""
        subscriber = Subscriber(topics)
        self._subscribers.add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except psycopg2.Error as error:
                log.warning("live.listening_failed", error=str(error).strip())
            await asyncio.sleep(RECONNECT)

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        connection = await asyncio.to_thread(listen, "live")
        self._lost.clear()
        loop.add_reader(connection.fileno(), self._hear, connection)
        try:
            for subscriber in self._subscribers:
                subscriber.tell(None)  # something may have been told while nobody listened
            await self._lost.wait()
        finally:
            loop.remove_reader(connection.fileno())
            connection.close()

    def _hear(self, connection: Any) -> None:
        try:
            connection.poll()
        except psycopg2.Error:
            self._lost.set()
            return
        while connection.notifies:
            self._pass_on(json.loads(connection.notifies.pop(0).payload))

    def _pass_on(self, hint: dict[str, Any]) -> None:
        topics = set(hint["topics"])
        for subscriber in self._subscribers:
            wanted = sorted(topics & subscriber.topics)
            if wanted:
                subscriber.tell({"topics": wanted, "id": hint.get("id")})
