"""Many agents in a few processes: everything that an agent does, but for its Envoy."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import aiohttp
import msgspec
import uvloop

from enforcement import policy
from enforcement.agent.admin import Admin
from enforcement.agent.applying import Applier, Parts
from enforcement.agent.attachments import Attachments
from enforcement.agent.config import load_keys
from enforcement.agent.fetching import Fetcher
from enforcement.agent.hubs import Hub as HubClient
from enforcement.agent.state import State
from enforcement.agent.store import PolicyStore
from enforcement.envoy.gateway import Gateway, Model
from enforcement.report import CorrectionReport
from tests.enforcement.faults.fleet import CONTROL, Hub
from tests.enforcement.world import KEY, ROOT

if TYPE_CHECKING:
    from types import TracebackType

PROCESSES = 2
REPORT_SECONDS = 2.0


class Nothing:
    """Stands where Envoy's process would be: there is none, so files are written and nobody waits."""

    def alive(self) -> bool:
        """Say no."""
        return False


class BareAgent:
    """One agent without an Envoy."""

    def __init__(self, session: aiohttp.ClientSession, folder: Path, name: str, url: str) -> None:
        self.state = State(name)
        self.store = PolicyStore(folder, load_keys(folder.parent / "keys.json"))
        self.hub = HubClient(session, url, f"token-of-{name}", self.state)
        attachments = Attachments(folder / "attachments")
        fetcher = Fetcher(attachments, [self.hub], self.state)
        parts = Parts(self.store, attachments, fetcher, Admin(session, 1), Nothing(), self.state)  # type: ignore[arg-type]
        self.applier = Applier(parts)
        self.applier.gateway = described(name, folder)
        self.applier.on_applied = self._applied

    async def run(self) -> None:
        """Follow the hub and report, for ever."""
        await asyncio.gather(self.hub.follow(self.applier.take), self.hub.speak(), self._report())

    def _applied(self, _before: policy.Policy | None) -> None:
        signed = self.store.current
        self.state.acknowledged = signed
        shown = CorrectionReport(state="in_force", verified=True, checked_at=datetime.now(UTC))
        corrections = signed.content.corrections if signed else ()
        self.state.corrections = {item.id: shown for item in corrections}
        self.hub.tell(msgspec.json.encode(self.state.report()))

    async def _report(self) -> None:
        while True:
            self.hub.tell(msgspec.json.encode(self.state.report()))
            await asyncio.sleep(REPORT_SECONDS)


def described(name: str, folder: Path) -> Gateway:
    """Describe a gateway that is never started."""
    (folder / "envoy").mkdir(parents=True)
    return Gateway(
        name=name,
        host="127.0.0.1",
        port=1,
        admin_port=1,
        filter_address="127.0.0.1:1",
        folder=folder / "envoy",
        models={"aurora-large": Model(upstream="127.0.0.1:1")},
        clients=(),
        probe_key="probe",
        secret="secret",  # noqa: S106 - nobody asks
    )


class Agents:
    """A real hub, and so many agents in a few processes beside it."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder, self._number = folder, number
        self.hub = Hub(folder, "hub")
        self._processes: list[subprocess.Popen[bytes]] = []
        _write_files(folder, [f"agent-{one}" for one in range(number)])

    def __enter__(self) -> Self:
        """Start them and wait until all have reported."""
        self.hub.start()
        self.hub.ready()
        for part in range(PROCESSES):
            command = [sys.executable, "-m", "bench.agents", str(self._folder), str(self.hub.port)]
            numbers = [str(part), str(self._number)]
            self._processes.append(subprocess.Popen([*command, *numbers], cwd=ROOT))  # noqa: S603 - ourselves
        until = time.monotonic() + 60
        while len(self.hub.reports()) < self._number:
            assert time.monotonic() < until, "not all agents have come up"
            time.sleep(0.2)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End them."""
        for process in self._processes:
            process.kill()
            process.wait()
        self.hub.kill()


def _write_files(folder: Path, names: list[str]) -> None:
    from base64 import b64encode  # noqa: PLC0415

    public = b64encode(KEY.public_key().public_bytes_raw()).decode()
    (folder / "keys.json").write_text(json.dumps({"test": public}))
    (folder / "control").write_text(CONTROL)
    (folder / "tokens").write_text("".join(f"{name} token-of-{name}\n" for name in names))


async def serve(folder: Path, port: int, part: int, number: int) -> None:
    """Run every agent whose turn it is in this process."""
    connector, no_cookies = aiohttp.TCPConnector(limit=0), aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(connector=connector, cookie_jar=no_cookies) as session:
        url = f"http://127.0.0.1:{port}"
        names = [f"agent-{one}" for one in range(part, number, PROCESSES)]
        agents = [BareAgent(session, folder / name, name, url) for name in names]
        await asyncio.gather(*(agent.run() for agent in agents))


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), *map(int, sys.argv[2:5])))
