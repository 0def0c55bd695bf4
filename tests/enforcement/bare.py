"""Envoy and the content filter without an agent: policies written to the files that they watch."""

from __future__ import annotations

import http.client
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from enforcement import policy
from enforcement.agent import files
from enforcement.asking import request_body
from enforcement.decide import Attributes
from enforcement.envoy import binary, render
from enforcement.envoy.gateway import Client, Gateway, Model, line_of
from tests.enforcement.world import KEY, ROOT, Reply, free_port
from tests.patience import wait_for

PROBE_KEY = "probe-key-of-the-tests"
SECRET = "secret-of-the-tests"


class Bare:
    """A gateway that any identity may be asked through, with the key for probes."""

    def __init__(
        self,
        folder: Path,
        models: tuple[str, ...],
        *,
        upstream: str = "",
        streams: Literal["filter", "direct"] = "filter",
        clients: tuple[Client, ...] = (),
    ) -> None:
        self.folder = folder
        self.filter_port = free_port()
        upstream = upstream or f"127.0.0.1:{free_port()}"
        self.gateway = Gateway(
            name="bare",
            host="127.0.0.1",
            port=free_port(),
            admin_port=free_port(),
            filter_address=f"127.0.0.1:{self.filter_port}",
            folder=folder,
            models={name: Model(upstream=upstream, streams=streams) for name in models},
            clients=clients,
            probe_key=PROBE_KEY,
            secret=SECRET,
        )
        self.version = 0
        self.attached: dict[str, bytes] = {}
        self._processes: list[subprocess.Popen[bytes]] = []
        self._connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=20)

    def start(self) -> None:
        files.write(self.folder / "filter.secret", SECRET.encode())
        models = {name: {"upstream": model.upstream} for name, model in self.gateway.models.items()}
        files.write(self.folder / "models.json", json.dumps(models).encode())
        for name, data in render.static_files(self.gateway).items():
            files.write(self.folder / name, data)
        self._write(policy.Content())
        envoy = [str(binary.find()), "-c", str(self.folder / render.BOOTSTRAP), "--concurrency", "1"]
        self._spawn(
            [*envoy, "--disable-hot-restart", "--reject-unknown-dynamic-fields", "-l", "warning", *_FLUSH]
        )
        self._spawn(
            [sys.executable, "-m", "enforcement.filter"],
            FILTER_PORT=str(self.filter_port),
            FILTER_POLICY_FILE=str(self.folder / "policy.json"),
            FILTER_MODELS_FILE=str(self.folder / "models.json"),
        )
        wait_for(self._up)

    def stop(self) -> None:
        self._connection.close()
        for process in self._processes:
            process.kill()
            process.wait()

    def enforce(self, content: policy.Content) -> None:
        """Put a policy in force and wait until Envoy has its limits and a worker decides by it."""
        signed = self._write(content)
        wait_for(self._limiting)
        wait_for(lambda: self._current(render.version_of(signed)))

    def ask(self, attributes: Attributes, raw: bytes | Iterator[bytes] | None = None, **more: str) -> Reply:
        headers = {
            "authorization": f"Bearer {PROBE_KEY}",
            "content-type": "application/json",
            "irapp-probe": line_of(attributes).encode(),
            **{name.replace("_", "-"): value for name, value in more.items()},
        }
        body = request_body(attributes) if raw is None else raw
        self._connection.request("POST", policy.ENDPOINTS[attributes.endpoint], body=body, headers=headers)
        response = self._connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, found, response.read())

    def attach(self, raw: bytes) -> str:
        """Put an attachment where rendering and the content filter find it."""
        address = policy.address(raw)
        self.attached[address] = raw
        folder = self.folder / "attachments"
        folder.mkdir(exist_ok=True)
        files.write(folder / address.removeprefix("sha256:"), raw)
        return address

    def raw(self, address: str) -> bytes:
        return self.attached[address]

    def counted(self, attributes: Attributes, body: bytes, limit: policy.Correction) -> bool:
        """Tell whether a limit counts such requests: spend it for a subject of its own, ask again.

        No rate-limit service runs here: a limit that needs it and counts the request is closed.
        """
        effect = limit.effect
        requests = effect.requests if isinstance(effect, policy.RequestLimit) else 1
        headers = {
            "irapp_probe_id": secrets.token_hex(8),
            "irapp_probe_limit": limit.id,
            "irapp_probe_hits": str(requests),
        }
        first = self.ask(attributes, body, **headers)
        if not isinstance(effect, policy.RequestLimit):
            assert first.status == 200 or first.code == "limit_unavailable"
            return first.status != 200
        again = self.ask(attributes, body, **headers)
        assert again.status == 200 or again.headers["x-irapp-correction"] == limit.id
        return again.status == 429

    def _write(self, content: policy.Content) -> policy.Policy:
        self.version += 1
        signed = policy.sign(content, version=self.version, key=KEY, key_id="test")
        files.write(self.folder / "policy.json", policy.encode(signed))
        self._files = render.policy_files(self.gateway, signed, self)
        for file in self._files:
            files.write(self.folder / file.name, file.data)
        return signed

    def _limiting(self) -> bool:
        """Envoy takes its files up one by one; the script may be there before the limits are."""
        wanted = next(file.version for file in self._files if file.filter == "limits")
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.admin_port, timeout=5)
        try:
            connection.request("GET", "/stats?filter=irapp-limits.version_text")
            return wanted in connection.getresponse().read().decode()
        finally:
            connection.close()

    def _current(self, version: str) -> bool:
        return self.ask(SOMEBODY).headers.get("x-irapp-policy") == version

    def _up(self) -> bool:
        try:
            return self.ask(SOMEBODY).status == 200 and self._filter_up()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return False

    def _filter_up(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.filter_port)
        try:
            connection.request("POST", "/")
            return connection.getresponse().status == 403
        finally:
            connection.close()

    def _spawn(self, command: list[str], **environment: str) -> None:
        with (self.folder / f"{Path(command[0]).name}.log").open("ab") as log:
            process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        self._processes.append(process)


_FLUSH = ("--file-flush-interval-msec", "100")
SOMEBODY = Attributes(
    user="nobody",
    organisation="none",
    key="none",
    application="none",
    use_case="none",
    endpoint="completions",
    model="unlisted",
)
