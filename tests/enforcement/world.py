"""A whole gateway for the tests: real Envoy, real agent and filter processes, real servers around them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.embedded.ports import free as free_port
from enforcement import policy
from tests.enforcement.servers import TOKEN, Servers
from tests.patience import wait_for

ROOT = Path(__file__).parents[2]
CLIENTS = {
    "alice": ("acme", "acme-support", "customer-support"),
    "bob": ("acme", "acme-research", "research"),
    "carol": ("globex", "globex-agent", "autonomous-agents"),
    "dave": ("initech", "initech-clinic", "medical"),
}
DIGEST = "sha256:" + "0" * 64
KEY = Ed25519PrivateKey.generate()


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def code(self) -> str:
        return self.body["error"]["code"]


def correction(number: int, effect: Any, **more: Any) -> policy.Correction:
    return policy.Correction(id=f"COR-{number:04}.1", effect=effect, approval_digest=DIGEST, **more)


def signed(version: int, *corrections: policy.Correction) -> bytes:
    content = policy.Content(corrections=tuple(sorted(corrections, key=lambda item: item.id)))
    return policy.encode(policy.sign(content, version=version, key=KEY, key_id="test"))


class World:
    """One gateway called gateway-1 with the models aurora-large and aurora-small."""

    def __init__(self, folder: Path, servers: Servers, *, with_filter: bool = True) -> None:
        self.folder, self.servers = folder, servers
        self.port, self.admin_port, self.filter_port = free_port(), free_port(), free_port()
        self.state = folder / "state"
        self.version = 0
        self.agent: subprocess.Popen[bytes] | None = None
        self.filter: subprocess.Popen[bytes] | None = None
        self._write_files()
        if with_filter:
            self.start_filter()

    def _write_files(self) -> None:
        public = KEY.public_key().public_bytes_raw()
        clients = [
            {
                "key": f"sk-demo-{name}",
                "key_id": f"key-{name}",
                "user": name,
                "organisation": organisation,
                "application": application,
                "use_case": use_case,
            }
            for name, (organisation, application, use_case) in CLIENTS.items()
        ]
        upstream = f"127.0.0.1:{self.servers.model_port}"
        models = {
            "aurora-large": {"upstream": upstream, "guarded": True},
            "aurora-small": {"upstream": upstream, "guarded": True},
            "free": {"upstream": upstream, "guarded": False},
        }
        for name, value in {
            "keys.json": {"test": b64encode(public).decode()},
            "clients.json": clients,
            "models.json": models,
        }.items():
            (self.folder / name).write_text(json.dumps(value))
        (self.folder / "token").write_text(TOKEN)

    def start_agent(self) -> None:
        self.state.mkdir(exist_ok=True)
        self.agent = self._run("enforcement.agent", self.agent_environment())

    def agent_environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "AGENT_GATEWAY": "gateway-1",
            "AGENT_HUB_URLS": f"http://127.0.0.1:{self.servers.hub_port}",
            "AGENT_TOKEN_FILE": str(self.folder / "token"),
            "POLICY_KEYS_FILE": str(self.folder / "keys.json"),
            "AGENT_STATE_DIR": str(self.state),
            "AGENT_CLIENTS_FILE": str(self.folder / "clients.json"),
            "AGENT_MODELS_FILE": str(self.folder / "models.json"),
            "AGENT_GATEWAY_PORT": str(self.port),
            "AGENT_ADMIN_PORT": str(self.admin_port),
            "AGENT_FILTER_ADDRESS": f"127.0.0.1:{self.filter_port}",
            "AGENT_ENVOY_CONCURRENCY": "2",
        }

    def start_filter(self) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "FILTER_PORT": str(self.filter_port),
            "FILTER_POLICY_FILE": str(self.state / "policy.json"),
            "FILTER_MODELS_FILE": str(self.folder / "models.json"),
        }
        self.filter = self._run("enforcement.filter", environment)

    def _run(self, module: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{module}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module], env=environment, cwd=ROOT, stdout=log, stderr=log
            )

    def stop(self) -> None:
        for process in (self.agent, self.filter):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(60)
        if (pid := self.envoy_pid()) is not None:
            os.kill(pid, signal.SIGKILL)

    def envoy_pid(self) -> int | None:
        try:
            pid = int((self.state / "envoy" / "envoy.pid").read_text())
            running = str(self.state).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if running else None

    def ready(self) -> None:
        wait_for(self._serves)
        if self.filter is not None:
            wait_for(self._filters)

    def _filters(self) -> bool:
        with socket.socket() as found:
            return found.connect_ex(("127.0.0.1", self.filter_port)) == 0

    def _serves(self) -> bool:
        try:
            return self.ask("carol", {"model": "free"}).status == 200
        except OSError:
            return False

    def ask(
        self,
        who: str | None,
        body: Any = None,
        *,
        path: str = "/v1/chat/completions",
        method: str = "POST",
        headers: dict[str, str] | None = None,
        key: str | None = None,
    ) -> Reply:
        sent = {"content-type": "application/json", **(headers or {})}
        if who or key:
            sent["authorization"] = f"Bearer {key or f'sk-demo-{who}'}"
        raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body=raw, headers=sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, response.read())
        finally:
            connection.close()

    def report(self) -> dict[str, Any] | None:
        return self.servers.reports[-1] if self.servers.reports else None

    def publish(self, *corrections: policy.Correction) -> None:
        self.version += 1
        self.servers.publish(signed(self.version, *corrections))

    def enforce(self, *corrections: policy.Correction) -> dict[str, Any]:
        """Publish, and wait for the report that says that all of it is proven."""
        self.publish(*corrections)
        return wait_for(self._proven)

    def _proven(self) -> dict[str, Any] | None:
        report = self.report()
        if not report or not report["policy"] or report["policy"]["version"] != self.version:
            return None
        proven = all(
            found["verified"] or found["state"] == "scheduled" for found in report["corrections"].values()
        )
        return report if proven else None
