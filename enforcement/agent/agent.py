"""The agent's parts put together, and the loops that keep them going."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import aiohttp
import msgspec

from enforcement import policy
from enforcement.agent import proving, times
from enforcement.agent.admin import Admin, last_words
from enforcement.agent.applying import Applier, Parts
from enforcement.agent.attachments import Attachments
from enforcement.agent.busy import Busy
from enforcement.agent.config import Settings, SettingsError, load_gateway
from enforcement.agent.fetching import Fetcher
from enforcement.agent.handing_in import HandingIn, Logs
from enforcement.agent.hubs import Hub
from enforcement.agent.probing import Prober
from enforcement.agent.process import EnvoyProcess
from enforcement.agent.state import State
from enforcement.agent.store import PolicyStore
from enforcement.agent.streams import Streams
from enforcement.agent.waiting import until_set
from enforcement.envoy.unreached import CLIENTS_MOST
from enforcement.ratelimit.basis import bases
from enforcement.report import EnvoyReport, TrafficRecord

REPORT_SECONDS = 2.0
BYTES_A_SECOND = 2_000_000
"""Large reports come less often, small ones at once; but none waits for longer than the pause below."""
BURST_SECONDS, MOST_PAUSE_SECONDS = 0.1, 1.0
"""What was not reported in so long may be made up for."""
WATCH_SECONDS = 0.5
LIMITS_SECONDS = 1.0
STARTING_SECONDS = 0.05
PATIENCE_SECONDS = 2.0
TOLD_SECONDS = 5.0
"""A drift is healed at once; it is told for long enough that nobody misses it."""
LOCAL_TIMEOUT = aiohttp.ClientTimeout(total=5)


class Agent:
    """One agent beside one gateway."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.settings = settings
        self.state = State(settings.gateway)
        self.store = PolicyStore(settings.state, settings.keys)
        self.attachments = Attachments(settings.state / "attachments")
        self.process = EnvoyProcess(settings)
        self.admin = Admin(session, settings.admin_port)
        self.hubs = [Hub(session, url, settings.token, self.state) for url in settings.hubs]
        self.fetcher = Fetcher(self.attachments, self.hubs, self.state)
        self.applier = Applier(
            Parts(self.store, self.attachments, self.fetcher, self.admin, self.process, self.state)
        )
        self.applier.on_applied = self._applied
        self.logs = Logs(settings.state, settings.gateway)
        self.handing_in = HandingIn(self.logs, self.hubs, self.admin, self.state)
        self.handing_in.on_records = self._note_busy
        self.busy = Busy()
        self.streams = Streams(self.process.folder)
        self.prover = proving.Prover(self.state, self.attachments)
        self.applier.still_needed = lambda: self.prover.needed
        self._session = session
        self._probe_key = f"probe-{secrets.token_urlsafe(32)}"
        self._away, self._drifted_at = 0, 0.0
        self._files_seen: tuple[int, ...] = ()

    async def start(self) -> None:
        """Enforce what is on disk, before any network.

        :raises SettingsError: models or clients cannot be read.
        :raises OSError: the state folder cannot be written, or Envoy not be started.
        """
        self.process.folder.mkdir(parents=True, exist_ok=True)
        wrong = self.store.load()
        if wrong:
            self.state.problem("disk_policy", wrong)
        self.streams.load(self._live())
        adopted = self.process.adopt()
        if self._load_files() and adopted:
            await self.process.stop()
            adopted = False
        await self.applier.begin()
        if not adopted:
            self.process.start()
        self._applied(None)

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.process.keep_alive())
            group.create_task(self._watch_envoy())
            group.create_task(self._watch_files())
            group.create_task(self._watch_clock())
            group.create_task(self.prover.run())
            group.create_task(self._watch_limits())
            group.create_task(self._report())
            group.create_task(self.handing_in.run())
            for hub in self.hubs:
                group.create_task(hub.follow(self.applier.take))
                group.create_task(hub.speak())

    def _applied(self, before: policy.Policy | None) -> None:
        signed = self.store.current
        self.state.acknowledged = signed
        old = before or self.store.previous
        self.prover.expect(signed, old.content if old else None)
        self._clock_struck()
        self.state.changed.set()

    def _load_files(self) -> bool:
        """Read models and clients and write what depends on them; tell whether Envoy must restart."""
        gateway = load_gateway(self.settings, probe_key=self._probe_key)
        gateway = msgspec.structs.replace(gateway, busy=self.busy.keys)
        self._files_seen = self._stamp()
        self.prover.models = tuple(sorted(gateway.models))
        self.prover.prober = Prober(self._session, gateway)
        return self.applier.write_static(gateway, self.streams.generation)

    async def _watch_envoy(self) -> None:
        """Notice when Envoy comes up, goes away, or runs something else than it should."""
        while True:
            live, loaded = await self.admin.live(), await self.admin.loaded()
            version = loaded.versions.get("corrections", "") if loaded else ""
            fresh = msgspec.structs.replace(self.state.envoy, live=live, version=version)
            if fresh != self.state.envoy:
                self.state.envoy = fresh
                self.prover.again()
                self.state.changed.set()
            await self._judge_envoy(fresh)
            await asyncio.sleep(WATCH_SECONDS if live else STARTING_SECONDS)

    async def _judge_envoy(self, fresh: EnvoyReport) -> None:
        await self._put_right(fresh)
        if not fresh.live:
            await self._bring_back()
            return
        self._away = 0
        self.state.solved("envoy_down")

    async def _put_right(self, fresh: EnvoyReport) -> None:
        """See that Envoy has what the agent gave it; tell of anything else for a while, healed or not."""
        now = asyncio.get_running_loop().time()
        if meddled := await self.applier.put_right():
            names = ", ".join(meddled)
            self._drifted(f"somebody else changed {names}; the policy is put in place again", now)
        elif fresh.live and not await self.applier.in_step():
            self._drifted(f"Envoy runs {fresh.version}; the policy is put in place again", now)
        elif now - self._drifted_at > TOLD_SECONDS:
            self.state.solved("envoy_drift")

    def _drifted(self, detail: str, now: float) -> None:
        self._drifted_at = now
        self.state.problem("envoy_drift", detail)
        self.prover.again()

    async def _bring_back(self) -> None:
        """Tell that Envoy is away, and end one that is up and does not serve; it is started again."""
        said = last_words(self.process.log)
        self.state.problem("envoy_down", said or "Envoy does not answer; it is being restarted")
        self._away += 1
        if self._away * STARTING_SECONDS >= PATIENCE_SECONDS:
            self._away = 0
            await self.process.stop()

    async def _watch_files(self) -> None:
        """Take up changes of models and clients; wrong ones are reported and not used. Mend attachments."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            await self.applier.mend()
            if self._stamp() == self._files_seen:
                continue
            try:
                self._load_files()
            except (SettingsError, OSError) as error:
                self._files_seen = self._stamp()
                self.state.problem("settings", str(error))
            else:
                await self.applier.again()
                self.state.solved("settings")
                self.prover.again()

    async def _note_busy(self, records: Sequence[TrafficRecord]) -> None:
        """Let Envoy know who asks so often that less of it needs to be noted."""
        changed = self.busy.note(records, datetime.now(UTC))
        if changed and len(self.applier.gateway.clients) <= CLIENTS_MOST:
            self.applier.gateway = msgspec.structs.replace(self.applier.gateway, busy=self.busy.keys)
            await self.applier.again()

    async def _watch_clock(self) -> None:
        """Prove again at the moments at which corrections start and end. Envoy itself keeps the times."""
        looked = datetime.now(UTC)
        while True:
            await asyncio.sleep(times.until_next(times.moments(self._content()), datetime.now(UTC)))
            before, looked = looked, datetime.now(UTC)
            # Of the policy as it is now: one that came meanwhile may have had its moment already.
            if any(before < moment <= looked for moment in times.moments(self._content())):
                self._clock_struck()
                self.prover.again()

    async def _watch_limits(self) -> None:
        """Keep in mind by what each limit counts; where that changes it has to be proven again."""
        while True:
            content = self._content() or policy.Content()
            found = await bases(self._session, self.settings.ratelimit_url, content)
            if found != self.state.limits:
                self.state.limits = found
                self.state.changed.set()
                self.prover.again()
            await asyncio.sleep(LIMITS_SECONDS)

    def _clock_struck(self) -> None:
        """Do what follows from what is in force now."""
        now = datetime.now(UTC)
        try:
            if self.streams.to_end(self._live(), self.applier.gateway, now):
                self.applier.write_static(self.applier.gateway, self.streams.generation)
        except OSError as error:
            self.state.problem("disk", f"running streams not ended: {error}")
        if held := times.held(self._content(), now):
            # Which ones is told by the application, to those who may see their incidents.
            self.state.problem("expiry_held", f"{held} past their expiry and held")
        else:
            self.state.solved("expiry_held")

    async def _report(self) -> None:
        clock, free_at = asyncio.get_running_loop().time, 0.0
        while True:
            await until_set(self.state.changed, REPORT_SECONDS)
            self.state.changed.clear()
            self.state.refused = self.logs.refused()
            self.state.corrections = proving.with_counts(self.state.corrections, self.state.refused)
            report = msgspec.json.encode(self.state.report())
            for hub in self.hubs:
                hub.tell(report)
            now = clock()
            free_at = min(max(free_at, now) + len(report) / BYTES_A_SECOND, now + MOST_PAUSE_SECONDS)
            await asyncio.sleep(free_at - now - BURST_SECONDS)

    def _content(self) -> policy.Content | None:
        return self.store.current.content if self.store.current else None

    def _live(self) -> list[policy.Correction]:
        return times.live(self._content(), datetime.now(UTC))

    def _stamp(self) -> tuple[int, ...]:
        paths = (self.settings.clients_file, self.settings.models_file)
        return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


async def serve(settings: Settings) -> None:
    """Run an agent until cancelled; its Envoy ends with it only when it is asked to end."""
    async with AsyncExitStack() as stack:
        session = aiohttp.ClientSession(timeout=LOCAL_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())
        await stack.enter_async_context(session)
        agent = Agent(settings, session)
        await agent.start()
        try:
            await agent.run()
        except asyncio.CancelledError:  # told to stop; after a failure of its own it leaves Envoy running
            await agent.process.stop()
            raise
