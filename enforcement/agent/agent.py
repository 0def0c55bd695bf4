"""The agent's parts put together, and the loops that keep them going."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import aiohttp
import msgspec

from enforcement import policy
from enforcement.agent import files, proving
from enforcement.agent.admin import Admin, last_words
from enforcement.agent.applying import Applier
from enforcement.agent.config import Settings, SettingsError, load_gateway
from enforcement.agent.hubs import Hub
from enforcement.agent.probing import Prober
from enforcement.agent.process import EnvoyProcess
from enforcement.agent.state import State
from enforcement.agent.store import PolicyStore
from enforcement.agent.traffic import AccessLog
from enforcement.agent.waiting import until_set
from enforcement.decide import in_force
from enforcement.report import EnvoyReport, TrafficBatch

REPORT_SECONDS = 2.0
WATCH_SECONDS = 0.5
STARTING_SECONDS = 0.05
PATIENCE_SECONDS = 2.0
TRAFFIC_SECONDS = 0.3
LONGEST_SLEEP = 30.0
LOCAL_TIMEOUT = aiohttp.ClientTimeout(total=5)


class Agent:
    """One agent beside one gateway."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.settings = settings
        self.state = State(settings.gateway)
        self.store = PolicyStore(settings.state, settings.keys)
        self.process = EnvoyProcess(settings)
        self.admin = Admin(session, settings.admin_port)
        self.applier = Applier(self.store, self.admin, self.process, self.state)
        self.applier.on_applied = self._applied
        self.hubs = [Hub(session, url, settings.token, self.state) for url in settings.hubs]
        self.log = AccessLog(self.process.folder, settings.gateway)
        self._session = session
        self._probe_key = f"probe-{secrets.token_urlsafe(32)}"
        self._streams_ended: set[str] = set()
        self._away = 0
        self._files_seen: tuple[int, ...] = ()
        self.prover = proving.Prover(self.state, ())

    async def start(self) -> None:
        """Enforce what is on disk, before any network.

        :raises SettingsError: models or clients cannot be read.
        :raises OSError: the state folder cannot be written, or Envoy not be started.
        """
        self.process.folder.mkdir(parents=True, exist_ok=True)
        wrong = self.store.load()
        if wrong:
            self.state.problem("disk_policy", wrong)
        adopted = self.process.adopt()
        if self._load_files() and adopted:
            await self.process.stop()
            adopted = False
        await self.applier.put()
        if not adopted:
            self.process.start()
        self._streams_ended = {item.id for item in self._in_force()}
        self._applied(None)

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.process.keep_alive())
            group.create_task(self._watch_envoy())
            group.create_task(self._watch_files())
            group.create_task(self._watch_clock())
            group.create_task(self.prover.run())
            group.create_task(self._report())
            group.create_task(self._hand_in_traffic())
            for hub in self.hubs:
                group.create_task(hub.follow(self.applier.take))

    def _applied(self, before: policy.Policy | None) -> None:
        signed = self.store.current
        self.state.acknowledged = signed
        old = before.content if before else self.store.previous_content()
        self.prover.expect(signed, old)
        self._end_streams()
        self._note_held()
        self.state.changed.set()

    def _load_files(self) -> bool:
        """Read models and clients and write what depends on them; tell whether Envoy must restart."""
        gateway = load_gateway(self.settings, probe_key=self._probe_key)
        self._files_seen = self._stamp()
        self.prover.models = tuple(sorted(gateway.models))
        self.prover.prober = Prober(self._session, gateway)
        return self.applier.write_static(gateway, self._generation())

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
        if not fresh.live:
            await self._bring_back()
            return
        self._away = 0
        self.state.solved("envoy_down")
        if await self.applier.in_step():
            self.state.solved("envoy_drift")
        else:
            self.state.problem("envoy_drift", f"Envoy runs {fresh.version}; the policy is put in place again")

    async def _bring_back(self) -> None:
        """Tell that Envoy is away, and end one that is up and does not serve; it is started again."""
        said = last_words(self.process.log)
        self.state.problem("envoy_down", said or "Envoy does not answer; it is being restarted")
        self._away += 1
        if self._away * STARTING_SECONDS >= PATIENCE_SECONDS:
            self._away = 0
            await self.process.stop()

    async def _watch_files(self) -> None:
        """Take up changes of models and clients; wrong ones are reported and not used."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if self._stamp() == self._files_seen:
                continue
            try:
                self._load_files()
                await self.applier.put()
            except (SettingsError, OSError) as error:
                self._files_seen = self._stamp()
                self.state.problem("settings", str(error))
            else:
                self.state.solved("settings")
                self.prover.again()

    async def _watch_clock(self) -> None:
        """Prove again at the moments at which corrections start and end. Envoy itself keeps the times."""
        while True:
            before = datetime.now(UTC)
            await asyncio.sleep(self._until_next(before))
            if any(before < moment <= datetime.now(UTC) for moment in self._moments()):
                self._end_streams()
                self._note_held()
                self.prover.again()

    async def _report(self) -> None:
        while True:
            await until_set(self.state.changed, REPORT_SECONDS)
            self.state.changed.clear()
            self.state.refused = dict(self.log.refused)
            self.state.corrections = proving.with_counts(self.state.corrections, self.state.refused)
            body = msgspec.json.encode(self.state.report())
            await asyncio.gather(*(hub.post("/v1/status", body) for hub in self.hubs))

    async def _hand_in_traffic(self) -> None:
        while True:
            await asyncio.sleep(TRAFFIC_SECONDS)
            try:
                while await self._one_batch():
                    pass
                self.state.solved("access_log")
            except OSError as error:
                self.state.problem("access_log", str(error))

    async def _one_batch(self) -> bool:
        batch = self.log.read()
        if batch.records:
            traffic = TrafficBatch(gateway=self.settings.gateway, records=tuple(batch.records))
            body = msgspec.json.encode(traffic)
            if not any([await hub.post("/v1/traffic", body) for hub in self.hubs]):
                return False
        self.log.done(batch)
        if batch.refused:
            self.state.changed.set()
        if self.log.rotate():
            await self.admin.reopen_logs()
        return bool(batch.records)

    def _end_streams(self) -> None:
        """Replace the listener when a correction came into force that ends running streams."""
        live = {item.id: item for item in self._in_force()}
        new = [item for name, item in live.items() if name not in self._streams_ended]
        self._streams_ended = set(live)
        if any(item.running_streams == "end" and item.mode == "enforce" for item in new):
            self._replace_listener()

    def _replace_listener(self) -> None:
        path = self.process.folder / "generation"
        try:
            files.write(path, str(self._generation() + 1).encode())
            self.applier.write_static(self.applier.gateway, self._generation())
        except OSError as error:
            self.state.problem("disk", f"running streams not ended: {error}")

    def _generation(self) -> int:
        text = files.read(self.process.folder / "generation")
        return int(text) if text and text.isdigit() else 0

    def _in_force(self) -> list[policy.Correction]:
        now = datetime.now(UTC)
        signed = self.store.current
        return [one for one in (signed.content.corrections if signed else ()) if in_force(one, now)]

    def _note_held(self) -> None:
        now = datetime.now(UTC)
        held = [
            item.id for item in self._in_force() if item.expires_at is not None and now >= item.expires_at
        ]
        if held:
            # Which ones is told by the application, to those who may see their incidents.
            self.state.problem("expiry_held", f"{len(held)} past their expiry and held")
        else:
            self.state.solved("expiry_held")

    def _moments(self) -> list[datetime]:
        signed = self.store.current
        return [
            moment
            for item in (signed.content.corrections if signed else ())
            for moment in (item.starts_at, item.expires_at)
            if moment is not None
        ]

    def _until_next(self, now: datetime) -> float:
        ahead = [moment - now for moment in self._moments() if moment > now]
        wait = min(ahead, default=timedelta(seconds=LONGEST_SLEEP)).total_seconds()
        return min(wait, 1.0) + 0.001

    def _stamp(self) -> tuple[int, ...]:
        paths = (self.settings.clients_file, self.settings.models_file)
        return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


async def serve(settings: Settings) -> None:
    """Run an agent until cancelled; its Envoy ends with it only when it is asked to end."""
    async with AsyncExitStack() as stack:
        session = aiohttp.ClientSession(timeout=LOCAL_TIMEOUT)
        await stack.enter_async_context(session)
        agent = Agent(settings, session)
        await agent.start()
        try:
            await agent.run()
        except asyncio.CancelledError:  # told to stop; after a failure of its own it leaves Envoy running
            await agent.process.stop()
            raise
