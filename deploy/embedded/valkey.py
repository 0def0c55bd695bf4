"""Valkey for the embedded default: on a socket that its owner alone may open, every write in its log."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from deploy.embedded import binaries
from deploy.embedded.errors import StartError
from deploy.embedded.process import Program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.embedded.process import Child

LONGEST_SOCKET = 100
"""Names of sockets are cut off at little more than this."""


class Valkey:
    """One Valkey in one folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.socket = _socket(home)

    @property
    def url(self) -> str:
        """What goes into ``CELERY_BROKER_URL``."""
        return f"redis+socket://{self.socket}"

    def program(self, environment: Mapping[str, str]) -> Program:
        """Describe it for the supervisor."""
        return Program(
            name="valkey",
            command=(
                binaries.valkey(),
                *("--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700"),
                *("--dir", self.home, "--appendonly", "yes", "--appendfsync", "everysec"),
                *("--save", "", "--daemonize", "no", "--maxmemory-policy", "noeviction"),
            ),
            ready=self._ready,
            environment=environment,
            attempts=3,
            prepare=self._prepare,
        )

    def _prepare(self) -> None:
        self.home.mkdir(mode=0o700, exist_ok=True)
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        if self.socket.parent.stat().st_uid != os.geteuid():
            raise StartError(f"{self.socket.parent} belongs to somebody else: set TMPDIR to another folder")
        self.socket.unlink(missing_ok=True)

    def _ready(self, _child: Child) -> bool:
        with redis.Redis(unix_socket_path=os.fspath(self.socket), socket_timeout=5) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:  # also while it reads its log
                return False


def _socket(home: Path) -> Path:
    """Give the place of the socket: beside the data, or a short one where that is too long."""
    socket = home / "valkey.sock"
    if len(os.fsencode(socket)) <= LONGEST_SOCKET:
        return socket
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"irapp-{os.getuid()}-{name}" / "valkey.sock"
