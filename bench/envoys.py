"""Envoys to measure: plain ones and gateways with rendered files, each a process on a core of its own."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.embedded.ports import free as free_port
from enforcement import policy
from enforcement.envoy import binary, identity, render
from enforcement.envoy.gateway import Client, Gateway, Model
from enforcement.envoy.types import extension

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "sk-bench-0001"
MODEL = "aurora-large"
CLIENT = Client(
    key=KEY,
    key_id="key-bench",
    user="bench",
    organisation="bench-org",
    application="bench-app",
    use_case="research",
    region="eu",
    tier="standard",
)
BODY = json.dumps(
    {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "Please summarise: " + "some words of a prompt " * 12},
        ],
        "max_tokens": 200,
    }
)
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 60, "completion_tokens": 3},
    }
)
SIGNING_KEY = Ed25519PrivateKey.generate()
HEADERS = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}


@dataclass
class Target:
    """One running Envoy."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    arguments: tuple[str, ...] = ()
    rounds: list[Any] = field(default_factory=list)

    def cpu(self) -> float:
        """Give the seconds of CPU that its threads have used, to the nanosecond."""
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e9

    def resident(self) -> float:
        """Give its memory in MB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def ask(self, body: str = BODY) -> int:
        """Send one request, give the status; nothing listens: 0."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("POST", "/v1/chat/completions", body, HEADERS)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def wait(self, status: int = 200, seconds: float = 60) -> None:
        """Wait until a request is answered with that status."""
        until = time.monotonic() + seconds
        while (found := self.ask()) != status:
            if time.monotonic() > until:
                raise TimeoutError(f"{self.name} answers {found}, not {status}")
            time.sleep(0.02)


class Attached(dict[str, bytes]):
    """Attachments by address, as rendering asks for them."""

    def add(self, names: list[str]) -> policy.SubjectList:
        """Attach a list of users."""
        raw = policy.subject_list(names)
        self[policy.address(raw)] = raw
        return policy.SubjectList(of="user", attachment=policy.address(raw), count=len(names))

    def raw(self, address: str) -> bytes:
        """Give the bytes of one."""
        return self[address]


class Fleet:
    """Starts Envoys below a folder and ends them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self.upstream = free_port()
        self.gateways: dict[str, Gateway] = {}
        # It reads the body first: an answer before the body's end would cost the connection.
        buffer = extension("buffer", "http.buffer.v3.Buffer", max_request_bytes=2**20)
        answer = {"direct_response": {"status": 200, "body": {"inline_string": ANSWER}}}
        config = self._written("upstream", static(self.upstream, answer, [buffer]))
        self._run("upstream", _arguments(config), core=1)

    def plain(self, name: str, *, checked: bool = False) -> Target:
        """Start an Envoy that forwards; checked: it looks the key up and writes an access log as well."""
        port = free_port()
        config = static(port, {"route": {"cluster": "model", "timeout": "0s"}}, cluster=self.upstream)
        if checked:
            manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0][
                "typed_config"
            ]
            keys = identity.keys(self.gateway(name, port))
            manager["http_filters"].insert(0, {"name": "keys", "typed_config": keys})
            kind = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"
            log = {"@type": kind, "path": str(self.folder / f"{name}.log")}
            manager["access_log"] = [{"name": "envoy.access_loggers.file", "typed_config": log}]
        return self._target(name, port, self._written(name, config))

    def enforcing(
        self, name: str, content: policy.Content, attached: Attached | None = None, *, streams: Any = "filter"
    ) -> Target:
        """Start a gateway that enforces a policy."""
        gateway = self.gateways[name] = self.gateway(name, free_port(), streams=streams)
        gateway.folder.mkdir(parents=True)
        for file, data in render.static_files(gateway).items():
            (gateway.folder / file).write_bytes(data)
        self.enforce(gateway, content, 1, attached)
        return self._target(name, gateway.port, gateway.folder / render.BOOTSTRAP)

    def gateway(self, name: str, port: int, *, streams: Any = "filter") -> Gateway:
        """Describe a gateway with one model and one client."""
        return self.described(name, self.folder / name, port, self.upstream, streams=streams)

    @staticmethod
    def described(name: str, folder: Path, port: int, upstream: int, *, streams: Any = "filter") -> Gateway:
        """Describe a gateway that may never be started."""
        return Gateway(
            name=name,
            host="127.0.0.1",
            port=port,
            admin_port=free_port(),
            filter_address="127.0.0.1:9",
            folder=folder,
            models={MODEL: Model(upstream=f"127.0.0.1:{upstream}", streams=streams)},
            clients=(CLIENT,),
            busy=frozenset((CLIENT.key_id,)),  # as any agent would say of who is measured
            probe_key="probe-key-of-the-bench",
            secret="bench",  # noqa: S106
        )

    @staticmethod
    def enforce(gateway: Gateway, content: policy.Content, version: int, attached: Attached | None) -> None:
        """Render a policy and move it into place."""
        signed = policy.sign(content, version=version, key=SIGNING_KEY, key_id="bench")
        for file in render.policy_files(gateway, signed, attached):
            draft = gateway.folder / f".{file.name}"
            draft.write_bytes(file.data)
            draft.replace(gateway.folder / file.name)

    def _written(self, name: str, config: dict[str, Any]) -> Path:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(config))
        return path

    def _target(self, name: str, port: int, config: Path) -> Target:
        arguments = _arguments(config)
        return Target(name, port, self._run(name, arguments, core=0), arguments)

    def _run(self, name: str, arguments: tuple[str, ...], *, core: int) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.out").open("wb") as log:
            command = [*pinned(core), str(binary.find()), *arguments]
            process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process


def _arguments(config: Path) -> tuple[str, ...]:
    lone = ("--concurrency", "1", "--disable-hot-restart", "-l", "error")
    return ("-c", str(config), *lone, "--reject-unknown-dynamic-fields")


@contextmanager
def fleet(folder: Path) -> Iterator[Fleet]:
    """Give a fleet; all its processes end with it."""
    with ExitStack() as stack:
        yield Fleet(folder, stack)


def pinned(core: int) -> list[str]:
    """Give the command that keeps a process on a core, where there are two."""
    return ["taskset", "-c", str(core)] if (os.cpu_count() or 1) > 1 else []


def static(
    port: int, route: dict[str, Any], filters: list[Any] | None = None, cluster: int = 0
) -> dict[str, Any]:
    """Give the bootstrap of an Envoy with one listener and one route."""
    kind = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    host = {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, **route}]}
    manager = {
        "@type": f"type.googleapis.com/{kind}",
        "stat_prefix": "plain",
        "route_config": {"virtual_hosts": [host]},
        "http_filters": [*(filters or []), extension("router", "http.router.v3.Router")],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    listener = {"name": "plain", "address": address(port), "filter_chains": [chain]}
    clusters = []
    if cluster:
        ends = [{"lb_endpoints": [{"endpoint": {"address": address(cluster)}}]}]
        load = {"cluster_name": "model", "endpoints": ends}
        clusters = [{"name": "model", "type": "STATIC", "load_assignment": load}]
    return {
        "admin": {"address": address(free_port())},
        "static_resources": {"listeners": [listener], "clusters": clusters},
    }


def address(port: int) -> dict[str, Any]:
    """Give an address on this machine."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def correction(number: int, effect: Any, **more: Any) -> policy.Correction:
    """Give a correction in force."""
    return policy.Correction(
        id=f"COR-{number:06}.1", effect=effect, approval_digest="sha256:" + "0" * 64, **more
    )
