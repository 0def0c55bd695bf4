"""Hubs and gateways as real processes: to be killed, cut off, and started again."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from enforcement import policy
from tests.enforcement.faults.link import Link
from tests.enforcement.servers import Servers
from tests.enforcement.world import ROOT, World, correction, free_port, signed
from tests.patience import PatienceError, wait_for

CONTROL = "control-token-of-the-test"
PATIENCE = 100.0


class Hub:
    """One hub; what was published stays on its disk."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name, self.port = name, free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **more: str) -> None:
        environment = {
            **more,
            "HUB_PORT": str(self.port),
            "HUB_STATE_DIR": str(self._folder / self.name),
            "HUB_CONTROL_TOKEN_FILE": str(self._folder / "control"),
            "HUB_AGENT_TOKEN_FILE": str(self._folder / "tokens"),
            "POLICY_KEYS_FILE": str(self._folder / "keys.json"),
        }
        with (self._folder / f"{self.name}.log").open("ab") as log:
            command = [sys.executable, "-m", "enforcement.hub"]
            self._process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def hang(self) -> None:
        """Take connections and answer none."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def ready(self) -> None:
        wait_for(lambda: self.ask("GET", "/healthz")[0] == 200, PATIENCE)

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {"authorization": f"Bearer {CONTROL}"})
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        except (OSError, http.client.HTTPException):
            return 0, None
        finally:
            connection.close()

    def reports(self) -> dict[str, Any]:
        _, found = self.ask("GET", "/v1/status")
        return found["gateways"] if found else {}


class Gateway(World):
    """One gateway of a fleet: its agent, Envoy, and content filter if it has one."""

    def __init__(self, folder: Path, servers: Servers, name: str, hubs: list[int], *, filtered: bool) -> None:
        folder.mkdir()
        self.name, self.hubs, self.more = name, hubs, dict[str, str]()
        super().__init__(folder, servers, with_filter=filtered)
        (folder / "token").write_text(f"token-of-{name}")

    def agent_environment(self) -> dict[str, str]:
        return {
            **super().agent_environment(),
            "AGENT_GATEWAY": self.name,
            "AGENT_HUB_URLS": ",".join(f"http://127.0.0.1:{port}" for port in self.hubs),
            "AGENT_ENVOY_CONCURRENCY": "1",
            **self.more,
        }

    def kill_agent(self) -> None:
        if self.agent is not None:
            self.agent.kill()
            self.agent.wait()

    def kill_filter(self) -> None:
        if self.filter is not None:
            self.filter.kill()
            self.filter.wait()

    def kill_envoy(self) -> None:
        if (pid := self.envoy_pid()) is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def restart_agent(self, **more: str) -> None:
        self.kill_agent()
        self.more = more
        self.start_agent()


class Fleet:
    """Some hubs and gateways, with a wire between each two that can be cut; the control plane is the test.

    :param wired: where time is measured, nothing may lie between them.
    """

    def __init__(
        self,
        folder: Path,
        *,
        hubs: int = 1,
        gateways: int = 1,
        filtered: bool = False,
        wired: bool = True,
    ) -> None:
        self.folder, self.version = folder, 0
        self.newest, self.attached = b"", dict[str, bytes]()
        self._stack = ExitStack()
        self.servers = self._stack.enter_context(Servers())
        self.hubs = [Hub(folder, f"hub-{number}") for number in range(1, hubs + 1)]
        names = [f"gateway-{number}" for number in range(1, gateways + 1)]
        self.links = {
            name: [self._stack.enter_context(Link(hub.port)) for hub in self.hubs if wired] for name in names
        }
        self.gateways = [
            Gateway(
                *(folder / name, self.servers, name, [end.port for end in self.links[name] or self.hubs]),
                filtered=filtered,
            )
            for name in names
        ]
        self._write_files(names)

    def _write_files(self, names: list[str]) -> None:
        (self.folder / "control").write_text(CONTROL)
        (self.folder / "tokens").write_text("".join(f"{name} token-of-{name}\n" for name in names))
        (self.folder / "keys.json").write_bytes((self.gateways[0].folder / "keys.json").read_bytes())

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        for hub in self.hubs:
            hub.start()
        for gateway in self.gateways:
            gateway.start_agent()
        for hub in self.hubs:
            hub.ready()
        for gateway in self.gateways:
            wait_for(gateway._serves, PATIENCE)

    def stop(self) -> None:
        for gateway in self.gateways:
            for process in (gateway.agent, gateway.filter):
                if process is not None:
                    process.kill()
                    process.wait()
            gateway.stop()
        for hub in self.hubs:
            hub.kill()
        self._stack.close()

    def sign(self, *corrections: policy.Correction) -> bytes:
        """Decide: the next version, not yet handed to any hub."""
        self.version += 1
        self.newest = signed(self.version, *corrections)
        return self.newest

    def deliver(self) -> None:
        """Bring every hub the newest policy and what it lacks, as the application does again and again."""
        for hub in self.hubs:
            status, found = hub.ask("PUT", "/v1/policy", self.newest)
            if status == 409 and found["code"] == "missing_attachments":
                for address in found["missing"]:
                    hub.ask("PUT", f"/v1/attachments/{address}", self.attached[address])
                hub.ask("PUT", "/v1/policy", self.newest)

    def publish(self, *corrections: policy.Correction) -> None:
        self.sign(*corrections)
        self.deliver()

    def enforce(self, *corrections: policy.Correction) -> None:
        """Publish, and wait until every gateway has shown all of it."""
        self.publish(*corrections)
        self.converged()

    def converged(self, seconds: float = PATIENCE) -> None:
        """Wait until all gateways show the newest policy proven, by each hub's account."""

        def settled() -> bool:
            self.deliver()
            return all(self.lagging(hub) == [] for hub in self.hubs)

        try:
            wait_for(settled, seconds)
        except PatienceError as error:
            raise PatienceError([self.lagging(hub) for hub in self.hubs]) from error

    def lagging(self, hub: Hub) -> list[tuple[str, Any]]:
        reports = hub.reports()
        found = [
            (gateway.name, _why_not(reports.get(gateway.name), self.version)) for gateway in self.gateways
        ]
        return [(name, why) for name, why in found if why]

    def problems(self, gateway: int = 0) -> dict[str, str]:
        """Give what a gateway complains of, as the first hub that answers heard it."""
        name = self.gateways[gateway].name
        report = next((found[name] for hub in self.hubs if name in (found := hub.reports())), None)
        return {one["code"]: one["detail"] for one in report["problems"]} if report else {}


def timed(fleet: Fleet, *besides: policy.Correction) -> tuple[datetime, datetime]:
    """Block carol for a while that has not begun when every gateway knows of it."""
    for lead in (4, 12, 40):
        begins = datetime.now(UTC) + timedelta(seconds=lead)
        ends = begins + timedelta(seconds=2)
        more = {"starts_at": begins, "expires_at": ends, "at_expiry": "lift"}
        carol = correction(9, policy.Block(), users=policy.Users(users=("carol",)), **more)
        fleet.enforce(*besides, carol)
        if datetime.now(UTC) < begins:
            return begins, ends
    raise PatienceError("no policy came before its time")


def _why_not(report: dict[str, Any] | None, version: int) -> object:
    if report is None or not report["live"]:
        return "silent"
    if (report["policy"] or {}).get("version") != version:
        return report["policy"], report["problems"]
    unproven = {
        name: found["detail"]
        for name, found in report["corrections"].items()
        if not found["verified"] and found["state"] != "scheduled"
    }
    ours = [one for one in report["problems"] if one["code"] in LASTING]
    return unproven or ours or ("" if report["envoy"]["live"] else "Envoy is down")


LASTING = {"disk", "bad_policy", "stale_policy", "attachments_awaited", "attachments_lost", "envoy_down"}
