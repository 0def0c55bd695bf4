"""Keeping the policy fresh: a thread of its own, so that no request waits for a hub.

It is the gateway agent's own store, hubs and attachments: verified, on disk before it is in force, the last
good one at start, whatever became of the hub.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import aiohttp
import msgspec
import structlog

from enforcement import policy
from enforcement.adapters.litellm.counting import Countable, Counting
from enforcement.adapters.litellm.ruling import Law
from enforcement.adapters.litellm.telling import HandingIn, Ledger
from enforcement.agent.attachments import Attachments
from enforcement.agent.fetching import AWAITED, Fetcher
from enforcement.agent.hubs import Hub
from enforcement.agent.state import State
from enforcement.agent.store import PolicyStore, Signed, StaleError
from enforcement.patterns import SyntaxProblemError
from enforcement.report import CorrectionReport, EnvoyReport

if TYPE_CHECKING:
    from enforcement.adapters.litellm.settings import Settings

log = structlog.get_logger()

REPORT_EVERY, PROVE_EVERY, AGAIN_SECONDS = 2.0, 60.0, 5.0
Prove = Callable[[Law], dict[str, CorrectionReport]]


class Keeper:
    """Holds the law in force, and tells the hubs of it."""

    def __init__(
        self, settings: Settings, prove: Prove, ledger: Ledger, *, counting: Counting, version: str
    ) -> None:
        settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._settings, self._prove, self._version = settings, prove, version
        self._store = PolicyStore(settings.state, settings.keys)
        self._attachments = Attachments(settings.state / "attachments")
        self.law: Law | None = None
        self.ledger, self._counting = ledger, counting
        self._states: tuple[str, ...] = ()
        self._proven = 0.0
        self._wrong = self._load()

    def start(self) -> None:
        """Begin to follow the hubs."""
        threading.Thread(target=self._keep, name="irapp", daemon=True).start()

    def _keep(self) -> None:
        """Follow the hubs for ever: after a failure that nobody foresaw, from the start again."""
        while True:
            try:
                asyncio.run(self._run())
            except ExceptionGroup as failed:
                log.exception("keeper_failed", error=repr(failed.exceptions))
            time.sleep(AGAIN_SECONDS)

    def _load(self) -> str:
        """Take up the last good policy from the disk, before the first request; say what was wrong."""
        wrong = self._store.load()
        more = self._take_up()
        if more:
            self._store.fall_back()
            more = f"{more} {self._take_up()}"
        return f"{wrong} {more}".strip()

    def _take_up(self) -> str:
        held = self._store.current
        try:
            self.law = self._made_ready(held) if held else None
        except policy.PolicyError as error:
            return str(error)
        return ""

    async def _run(self) -> None:
        self._state = State(self._settings.gateway)
        self._state.envoy = EnvoyReport(version=self._version, live=True)
        if self._wrong:
            self._state.problem("policy_file", self._wrong)
        async with aiohttp.ClientSession() as session:
            urls, token = self._settings.hubs, self._settings.token
            hubs = [Hub(session, url, token, self._state) for url in urls]
            self._fetcher = Fetcher(self._attachments, hubs, self._state)
            async with asyncio.TaskGroup() as tasks:  # whatever fails in it is one kind of failure outside
                await self._acknowledge()
                for hub in hubs:
                    tasks.create_task(hub.follow(self._take))
                    tasks.create_task(hub.speak())
                tasks.create_task(self._report(hubs))
                tasks.create_task(HandingIn(self.ledger, hubs, self._state).run())

    async def _take(self, raw: bytes) -> bool:
        """Take a policy that a hub sent; False asks for it again."""
        try:
            arrived = self._store.verified(raw)
            if not self._store.is_news(arrived.policy):
                return True
            return await self._enforce(arrived)
        except (policy.PolicyError, StaleError, RecursionError, UnicodeError) as error:
            self._state.problem("policy_refused", str(error))
            return True
        except OSError as error:
            self._state.problem("disk", f"the policy is not stored: {error.strerror}")
            return False

    async def _enforce(self, arrived: Signed) -> bool:
        if not await self._fetcher.complete(arrived.attachments, AWAITED):
            return False
        law = await asyncio.to_thread(self._made_ready, arrived.policy)
        await asyncio.to_thread(self._attachments.settle, arrived.attachments)
        if not self._store.is_news(arrived.policy):  # another hub was faster
            return True
        self._store.save(arrived)
        self.law = law
        self._attachments.clean(self._store.needed)
        self._state.solved("policy_refused")
        self._state.solved("disk")
        await self._acknowledge()
        return True

    def _made_ready(self, signed: policy.Policy) -> Law:
        """Read what it names and compile its patterns, away from the requests.

        :raises PolicyError: something that it names is not what the policy takes it for.
        """
        self._attachments.check(signed.content)
        try:
            return Law(signed, self._attachments)
        except SyntaxProblemError as error:
            raise policy.PolicyError(str(error)) from error

    async def _acknowledge(self) -> None:
        """Prove the law at this door, then say which one it is."""
        law = self.law
        if law is None:
            return
        self._states, self._proven = law.states(datetime.now(UTC)), time.monotonic()
        self._state.corrections = await asyncio.to_thread(self._prove, law)
        self._state.acknowledged = law.signed
        self._state.changed.set()

    async def _look_again(self) -> None:
        """Prove again where the clock has changed something, and once a minute; else only count."""
        law, known = self.law, self._state.corrections
        if law is None:
            return
        if law.states(datetime.now(UTC)) != self._states or time.monotonic() > self._proven + PROVE_EVERY:
            await self._acknowledge()
            return
        self._state.corrections = {
            name: msgspec.structs.replace(each, refused=self.ledger.refused[name])
            for name, each in known.items()
        }

    async def _report(self, hubs: Collection[Hub]) -> None:
        while True:
            try:
                await asyncio.wait_for(self._state.changed.wait(), REPORT_EVERY)
            except TimeoutError:
                await self._look_again()
            self._state.changed.clear()
            told = msgspec.json.encode(msgspec.structs.replace(self._state.report(), limits=self._bases()))
            for hub in hubs:
                hub.tell(told)

    def _bases(self) -> dict[str, str]:
        law = self.law
        limits = {item.id: item.effect for item in law.signed.content.corrections} if law else {}
        return {
            name: self._counting.basis if isinstance(effect, Countable) else "closed"
            for name, effect in limits.items()
            if isinstance(effect, policy.Limiting)
        }
