"""From an arrived policy to an Envoy that runs it, or back to the last good one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from enforcement import policy
from enforcement.agent import files
from enforcement.agent.admin import Admin, Loaded, last_rejection
from enforcement.agent.process import EnvoyProcess
from enforcement.agent.state import State
from enforcement.agent.store import PolicyStore, StaleError
from enforcement.envoy import render
from enforcement.envoy.gateway import Gateway
from enforcement.report import EnvoyReport

PATIENCE_SECONDS = 5.0
POLL_SECONDS = 0.002


class Applier:
    """Takes in policies one at a time. ``write_static`` comes before anything else."""

    gateway: Gateway

    def __init__(self, store: PolicyStore, admin: Admin, process: EnvoyProcess, state: State) -> None:
        self._store, self._admin, self._process, self._state = store, admin, process, state
        self._lock = asyncio.Lock()
        self.on_applied: Callable[[policy.Policy | None], None] = lambda _before: None

    async def take(self, raw: bytes) -> None:
        """Verify a policy that arrived and put it in force; the last good one stays if that fails."""
        async with self._lock:
            arrived = self._checked(raw)
            if arrived is None:
                return
            try:
                await self._take(arrived, raw)
            except OSError as error:
                self._state.problem("disk", f"version {arrived.version} not stored: {error}")

    async def in_step(self) -> bool:
        """Tell whether Envoy runs the policy in force; if not, put it in place again."""
        async with self._lock:
            loaded = await self._admin.loaded()
            expected = render.version_of(self._store.current)
            if loaded is None or loaded.versions.get("corrections") == expected:
                return True
            try:
                await self.put()
            except OSError as error:
                self._state.problem("disk", str(error))
            return False

    async def put(self) -> str:
        """Render the policy in force for Envoy and wait until it runs; give why it does not.

        :raises OSError: a file cannot be written.
        """
        rendered = render.policy_files(self.gateway, self._store.current)
        already = await self._admin.loaded() if self._process.alive() else None
        await asyncio.to_thread(self._write, rendered)
        return await self._settled(rendered, already) if already else ""

    def write_static(self, gateway: Gateway, generation: int) -> bool:
        """Write what does not depend on the policy; tell whether the bootstrap changed.

        :raises OSError: a file cannot be written.
        """
        self.gateway = gateway
        fresh = render.static_files(gateway, generation)
        changed = {name for name, data in fresh.items() if _replace(gateway, name, data)}
        return render.BOOTSTRAP in changed

    async def _take(self, arrived: policy.Policy, raw: bytes) -> None:
        before = self._store.current
        await asyncio.to_thread(self._store.save, arrived, raw)
        reason = await self.put()
        if reason:
            self._store.take_back(before)
            await self.put()
            self._rejected(before, f"version {arrived.version}: {reason}")
            return
        self._state.solved("envoy_rejected")
        self._state.solved("disk")
        if self._state.envoy.live:
            self._state.envoy = EnvoyReport(version=render.version_of(arrived), live=True)
        self.on_applied(before)

    def _rejected(self, kept: policy.Policy | None, detail: str) -> None:
        self._state.envoy = EnvoyReport(version=render.version_of(kept), live=True, rejected=1, error=detail)
        self._state.problem("envoy_rejected", detail)

    def _checked(self, raw: bytes) -> policy.Policy | None:
        try:
            arrived = self._store.check(raw)
        except StaleError as error:
            self._state.problem("stale_policy", str(error))
        except policy.PolicyError as error:
            self._state.problem("bad_policy", str(error))
        else:
            self._state.solved("stale_policy")
            self._state.solved("bad_policy")
            return arrived
        return None

    def _write(self, rendered: list[render.File]) -> None:
        for file in rendered:
            _replace(self.gateway, file.name, file.data)

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
        return "Envoy did not take it in time"


def _replace(gateway: Gateway, name: str, data: bytes) -> bool:
    path = gateway.folder / name
    if files.read(path) == data:
        return False
    files.write(path, data)
    return True
