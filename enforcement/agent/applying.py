"""From an arrived policy to an Envoy that runs it, or back to the last good one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from enforcement import policy
from enforcement.agent import files
from enforcement.agent.admin import Admin, Loaded, last_rejection
from enforcement.agent.aside import aside
from enforcement.agent.attachments import Attachments
from enforcement.agent.fetching import AWAITED, LOST, Fetcher
from enforcement.agent.placed import Placed
from enforcement.agent.process import EnvoyProcess
from enforcement.agent.state import State
from enforcement.agent.store import PolicyStore, Signed, StaleError
from enforcement.envoy import render
from enforcement.envoy.gateway import Gateway
from enforcement.report import EnvoyReport

PATIENCE_SECONDS = 5.0
POLL_SECONDS = 0.002
_VERSION = re.compile(rb'\{"version_info":"([^"]*)"')
CHEAPER = 20
"""To write a byte costs so much less than to verify or render one."""
TOO_LATE = "Envoy did not take it in time"


@dataclass(frozen=True)
class Parts:
    """What the applier works with."""

    store: PolicyStore
    attachments: Attachments
    fetcher: Fetcher
    admin: Admin
    process: EnvoyProcess
    state: State


class Applier:
    """Takes in policies one at a time. ``write_static`` comes before anything else."""

    gateway: Gateway

    def __init__(self, parts: Parts) -> None:
        self._store, self._attachments, self._fetcher = parts.store, parts.attachments, parts.fetcher
        self._admin, self._process, self._state = parts.admin, parts.process, parts.state
        self._lock = asyncio.Lock()
        self._placed, self._generation = Placed(), 0
        self._arriving: list[frozenset[str]] = []
        self.on_applied: Callable[[policy.Policy | None], None] = lambda _before: None
        self.still_needed: Callable[[], frozenset[str]] = frozenset

    async def begin(self) -> None:
        """Put what is on disk in place, before any network.

        A list that the policy names may be lost: then what was rendered from it stays, or the policy before
        is taken; without either, guarded models are closed.

        :raises OSError: a file cannot be written.
        """
        lacking = await asyncio.to_thread(self._attachments.missing, self._store.attachments)
        if lacking:
            self._state.problem(LOST, f"{len(lacking)} damaged or lost on disk, first {lacking[0]}")
            if self._rendered() == render.version_of(self._store.current):
                self._write([render.keys(self.gateway)])  # whoever they are by now; nobody past the script
                return
            self._store.fall_back()
            if await asyncio.to_thread(self._attachments.missing, self._store.attachments):
                self._store.fall_back()
        await self.put()

    async def mend(self) -> None:
        """Get again what the policy in force names, or a probe still needs, and the disk has lost."""
        needed = self._store.attachments | self.still_needed()
        lacking = await asyncio.to_thread(self._attachments.missing, needed) if needed else []
        if not await self._fetcher.complete(frozenset(lacking), LOST):
            return
        if lacking:
            await self.again()

    async def take(self, raw: bytes) -> bool:
        """Verify a policy that arrived and put it in force; the last good one stays if that fails.

        Tells whether it is settled, for good or ill; if not, the same policy has to come again.
        """
        arrived = await self._checked(raw)
        if arrived is None:
            return True
        self._arriving.append(arrived.attachments)
        try:
            return await self._take_whole(arrived)
        finally:
            self._arriving.remove(arrived.attachments)

    async def _take_whole(self, arrived: Signed) -> bool:
        if not await self._fetcher.complete(arrived.attachments, AWAITED):
            return False
        if not await self._understood(arrived):
            return True
        async with self._lock:
            if not self._is_news(arrived):  # another hub was faster
                return True
            try:
                return await self._take(arrived)
            except OSError as error:
                await self._undo(arrived)
                self._state.problem("disk", f"version {arrived.policy.version} not stored: {error}")
                return False

    async def _undo(self, arrived: Signed) -> None:
        """Return from a policy that was stored and not put in place; it is news when it comes again."""
        if self._store.current is not arrived.policy:
            return
        with suppress(OSError):  # in force again it is in any case, and the disk's problem is told
            await asyncio.to_thread(self._store.take_back)
        await self._try()

    async def in_step(self) -> bool:
        """Tell whether Envoy runs the policy in force; if not, put it in place again."""
        async with self._lock:
            loaded = await self._admin.loaded()
            expected = render.version_of(self._store.current)
            if loaded is None or loaded.versions.get("corrections") == expected:
                return True
            await self._try()
            return False

    async def put_right(self) -> list[str]:
        """Write again whatever somebody else has changed of the files for Envoy; give their names."""
        async with self._lock:
            meddled = await asyncio.to_thread(self._placed.meddled)  # a list that was touched is read anew
            if meddled:
                await self._try(static=True)
            return meddled

    async def put(self) -> str:
        """Render the policy in force for Envoy and wait until it runs; give why it does not.

        :raises OSError: a file cannot be written.
        """
        signed = self._store.current
        rendered = await aside(self._store.size, self._files, signed)
        return await self._place(rendered, await self._running())

    async def _running(self) -> Loaded | None:
        return await self._admin.loaded() if self._process.alive() else None

    async def _place(self, rendered: list[render.File], already: Loaded | None) -> str:
        """Move files into place and wait until Envoy runs them; give why it does not."""
        await aside(sum(len(file.data) for file in rendered) // CHEAPER, self._write, rendered)
        lists = render.list_files(self.gateway, self._store.current)
        await aside(self._store.size, self._placed.watch, lists)
        return await self._settled(rendered, already) if already else ""

    async def again(self) -> None:
        """Put the policy in force in place once more, from what is on disk."""
        async with self._lock:
            await self._try()

    def write_static(self, gateway: Gateway, generation: int) -> bool:
        """Write what does not depend on the policy; tell whether the bootstrap changed.

        :raises OSError: a file cannot be written.
        """
        self.gateway, self._generation = gateway, generation
        fresh = render.static_files(gateway, generation)
        changed = {name for name, data in fresh.items() if self._placed.put(gateway.folder / name, data)}
        return render.BOOTSTRAP in changed

    async def _try(self, *, static: bool = False) -> None:
        try:
            if static:
                self.write_static(self.gateway, self._generation)
            await self.put()
        except OSError as error:
            self._state.problem("disk", str(error))
        except policy.PolicyError as error:  # a list is lost just now; it is being fetched
            self._state.problem(LOST, str(error))

    async def _take(self, arrived: Signed) -> bool:
        before = self._store.current
        reason = await self._reason_against(arrived)
        if reason:
            await asyncio.to_thread(self._store.take_back)
            await self._try()
            self._rejected(before, f"version {arrived.policy.version}: {reason}")
            return reason != TOO_LATE
        self._state.solved("envoy_rejected")
        self._state.solved("disk")
        if self._state.envoy.live:
            self._state.envoy = EnvoyReport(version=render.version_of(arrived.policy), live=True)
        self.on_applied(before)
        with suppress(OSError):  # some are too many, and no more
            render.clean_lists(self.gateway, arrived.policy)
        self._cleaning = asyncio.ensure_future(self._fetcher.clean(self._needed))
        return True

    async def _reason_against(self, arrived: Signed) -> str:
        """Store a policy and render it at the same time; nothing is in place before it is on disk."""
        saving = asyncio.ensure_future(asyncio.to_thread(self._save, arrived))
        asking = asyncio.ensure_future(self._running())
        try:
            rendered = await aside(arrived.size, self._files, arrived.policy)
        except policy.PolicyError as error:
            await saving
            return str(error)
        finally:
            await asyncio.wait([saving, asking])
        await saving
        return await self._place(rendered, asking.result())

    def _save(self, arrived: Signed) -> None:
        """Bring a policy to the disk, and before it what it names."""
        self._attachments.settle(arrived.attachments)
        self._store.save(arrived)

    def _needed(self) -> frozenset[str]:
        return self._store.needed.union(self.still_needed(), *self._arriving)

    def _rejected(self, kept: policy.Policy | None, detail: str) -> None:
        self._state.envoy = EnvoyReport(version=render.version_of(kept), live=True, rejected=1, error=detail)
        self._state.problem("envoy_rejected", detail)

    async def _checked(self, raw: bytes) -> Signed | None:
        """Verify; nothing means that it is not to be taken, and why is a problem if it is one."""
        try:
            arrived = await aside(len(raw), self._store.verified, raw)
        except (policy.PolicyError, RecursionError, UnicodeError) as error:
            self._state.problem("bad_policy", str(error))
            return None
        return arrived if self._is_news(arrived) else None

    def _is_news(self, arrived: Signed) -> bool:
        try:
            news = self._store.is_news(arrived.policy)
        except StaleError as error:
            self._state.problem("stale_policy", str(error))
            return False
        self._state.solved("stale_policy")
        self._state.solved("bad_policy")
        return news

    async def _understood(self, arrived: Signed) -> bool:
        if not arrived.attachments:
            return True
        try:
            unread = self._attachments.unread(arrived.attachments)
            await aside(unread, self._attachments.check, arrived.policy.content)
        except policy.PolicyError as error:
            self._state.problem("bad_policy", f"version {arrived.policy.version}: {error}")
            return False
        return True

    def _rendered(self) -> str:
        """Give the version of the policy that the files for Envoy were made from."""
        raw = files.read(self.gateway.folder / "corrections.json")
        found = _VERSION.match(raw or b"")
        return found.group(1).decode() if found else ""

    def _files(self, signed: policy.Policy | None) -> list[render.File]:
        return render.policy_files(self.gateway, signed, self._attachments)

    def _write(self, rendered: list[render.File]) -> None:
        for file in rendered:
            self._placed.put(self.gateway.folder / file.name, file.data)

    async def _settled(self, rendered: list[render.File], already: Loaded) -> str:
        wanted = {file.filter: file.version for file in rendered}
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            loaded = await self._admin.loaded()
            if loaded is None:
                return ""  # it went away; what it reads when it comes back is in place
            if wanted.items() <= loaded.versions.items():
                return ""
            if loaded.rejected > already.rejected:
                return last_rejection(self._process.log) or "Envoy rejected it"
            await asyncio.sleep(POLL_SECONDS)
        return TOO_LATE
