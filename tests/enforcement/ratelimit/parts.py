"""Valkey and the rate-limit service as processes, and a client that asks as Envoy does."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import grpc

from deploy.embedded import binaries
from enforcement.ratelimit.rules import DOMAIN
from enforcement.ratelimit.server import SERVICE
from enforcement.ratelimit.wire.ratelimit_pb2 import Descriptor, Request, Response
from tests.enforcement.world import ROOT, free_port
from tests.patience import wait_for

PATIENT = {"RATELIMIT_REDIS_TIMEOUT_MS": "5000"}
"""For tests of exact counts, whatever else the machine does."""


class Process:
    """One program of a test; as a context it runs until the end of it."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self, command: list[str], log: Path, **environment: str) -> None:
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                env={"PATH": os.environ["PATH"], **environment},
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        self.kill()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)


class Valkey(Process):
    """A server of its own, on a port, without a disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder, self.port = folder, free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [str(binaries.valkey()), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--dir", str(self.folder)]
        self.launch(command, self.folder / "valkey.log")
        wait_for(self._up)

    def _up(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Service(Process):
    """The service beside one gateway."""

    def __init__(self, folder: Path, redis: str, **more: str) -> None:
        super().__init__()
        self.folder, self.redis, self.more = folder, redis, more
        self.port, self.admin_port = free_port(), free_port()
        self._channel: grpc.Channel | None = None

    def start(self) -> None:
        self.launch(
            [sys.executable, "-m", "enforcement.ratelimit"],
            self.folder / "ratelimit.log",
            RATELIMIT_PORT=str(self.port),
            RATELIMIT_ADMIN_PORT=str(self.admin_port),
            REDIS_URL=self.redis,
            **self.more,
        )
        wait_for(self.told)

    def stop(self) -> None:
        if self._channel is not None:
            self._channel.close()
        self.kill()

    def told(self) -> dict[str, Any] | None:
        """What ``GET /basis`` says, or None while nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=30)
        try:
            connection.request("GET", "/basis")
            return json.loads(connection.getresponse().read())
        except OSError:
            return None
        finally:
            connection.close()

    def basis(self) -> str:
        return self.told()["basis"]

    def ask(self, *descriptors: Descriptor) -> Response:
        if self._channel is None:
            self._channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        call = self._channel.unary_unary(
            f"/{SERVICE}/ShouldRateLimit",
            request_serializer=Request.SerializeToString,
            response_deserializer=Response.FromString,
        )
        return call(Request(domain=DOMAIN, descriptors=descriptors), timeout=30)

    def allows(self, *descriptors: Descriptor) -> bool:
        return self.ask(*descriptors).overall_code == 1


def descriptor(
    rule: str, subject: str = "alice", *, limit: str = "COR-0001.1", hits: int | None = None, **more: str
) -> Descriptor:
    found = Descriptor(is_negative_hits=bool(more.pop("back", "")))
    for key, value in {"limit": limit, "rule": rule, "subject": subject, **more}.items():
        found.entries.add(key=key, value=value)
    if hits is not None:
        found.hits_addend.value = hits
    return found
