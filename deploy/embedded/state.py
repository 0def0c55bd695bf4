"""The state folder: secrets, logs and data of one embedded stack, closed to everybody else."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from base64 import b64encode
from typing import TYPE_CHECKING, BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deploy.embedded.errors import StartError
from deploy.embedded.secret import secret, write_private

if TYPE_CHECKING:
    from pathlib import Path

SIGNATURE = "irapp-state"
KEY_ID = "embedded-1"
GATEWAY = "gateway-1"


class State:
    """One state folder. Opening it makes it, with its secrets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.logs = self.folder / "logs"
        self._lock: BinaryIO | None = None

    def prepare(self) -> None:
        """Make the folder and its secrets, if need be.

        :raises StartError: there is a folder that is something else.
        """
        if self.folder.exists() and any(self.folder.iterdir()) and not self.exists:
            raise StartError(f"{self.folder} is not a state folder of irapp: set IRAPP_STATE_DIR to another")
        for folder in (self.folder, self.logs, self.folder / "secrets", self.folder / "beat"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.sign()
        for name in ("secret-key", "control-token", "agent-token"):
            secret(self.secret(name))
        self._prepare_agent_tokens()
        self._prepare_keys()

    @property
    def exists(self) -> bool:
        """There is a state folder here, and not merely a folder."""
        return (self.folder / SIGNATURE).exists()

    def sign(self) -> None:
        """Mark the folder as one of ours, which may be thrown away."""
        (self.folder / SIGNATURE).touch()

    def secret(self, name: str) -> Path:
        """Give the file of a secret."""
        return self.folder / "secrets" / name

    def lock(self) -> None:
        """Keep others out for as long as this process lives.

        :raises StartError: it is in use.
        """
        lock = (self.folder / "lock").open("a+b")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().decode()
            lock.close()
            raise StartError(f"irapp is running already (process {holder}, {self.folder})") from error
        lock.truncate(0)
        lock.write(str(os.getpid()).encode())
        lock.flush()
        self._lock = lock

    @property
    def locked(self) -> bool:
        """We hold it."""
        return self._lock is not None

    def unlock(self) -> None:
        """Let others in."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def remember(self, name: str, value: str) -> None:
        """Write a small fact down for the next start."""
        write_private(self.folder / name, value)

    def recall(self, name: str) -> str:
        """Give what was written down, or nothing."""
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    def remove(self) -> None:
        """Throw the folder away."""
        if self.exists:
            shutil.rmtree(self.folder)

    def _prepare_agent_tokens(self) -> None:
        """Write down for the hub whose token it is: an agent speaks for its own gateway only."""
        token = self.secret("agent-token").read_text().strip()
        write_private(self.secret("agent-tokens"), f"{GATEWAY} {token}\n")

    def _prepare_keys(self) -> None:
        """Make the pair that policies are signed and verified with; the public half is written last."""
        public = self.secret("policy-keys.json")
        if public.exists():
            return
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(self.secret("policy-signing-key.pem"), private.decode())
        encoded = b64encode(key.public_key().public_bytes_raw()).decode()
        write_private(public, json.dumps({KEY_ID: encoded}))
