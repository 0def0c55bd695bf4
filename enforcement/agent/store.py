"""The last good policy on disk, and the rule that older ones are refused."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enforcement import policy
from enforcement.agent import files


class StaleError(Exception):
    """A policy that is older than the one in force, or another one under its version."""


class PolicyStore:
    """Holds the policy in force. What it holds has been verified and is on disk."""

    def __init__(self, folder: Path, keys: dict[str, Ed25519PublicKey]) -> None:
        self.path = folder / "policy.json"
        self._previous = folder / "policy.previous.json"
        self._keys = keys
        self.current: policy.Policy | None = None

    def load(self) -> str:
        """Take what is on disk, else the one before; give what was wrong with it, if anything."""
        why = ""
        for path in (self.path, self._previous):
            raw = files.read(path)
            if raw is None:
                continue
            try:
                self.current = policy.verify(raw, keys=self._keys)
            except policy.PolicyError as error:
                why = f"{path.name}: {error}"
            else:
                return why
        return why

    def previous_content(self) -> policy.Content | None:
        """Give the content before the one in force, so that what it removed can still be shown."""
        raw = files.read(self._previous)
        try:
            return policy.verify(raw, keys=self._keys).content if raw else None
        except policy.PolicyError:
            return None

    def check(self, raw: bytes) -> policy.Policy | None:
        """Verify a policy that arrived; nothing means that it is the one in force.

        :raises policy.PolicyError: it cannot be trusted or understood.
        :raises StaleError: it is not newer.
        """
        arrived, current = policy.verify(raw, keys=self._keys), self.current
        if current is None or arrived.version > current.version:
            return arrived
        if arrived.version < current.version:
            raise StaleError(f"version {arrived.version} is older than {current.version}")
        if arrived.digest != current.digest:
            raise StaleError(f"version {arrived.version} is known with another content")
        return None

    def save(self, arrived: policy.Policy, raw: bytes) -> None:
        """Put a policy on disk and in force, and keep the one before it.

        :raises OSError: it is not on disk, and not in force.
        """
        kept = files.read(self.path)
        if kept is not None:
            files.write(self._previous, kept)
        files.write(self.path, raw, durable=True)
        self.current = arrived

    def take_back(self, before: policy.Policy | None) -> None:
        """Return to the policy before, since the gateway rejects this one."""
        if before is None:
            self.path.unlink(missing_ok=True)
        else:
            files.write(self.path, policy.encode(before), durable=True)
        self.current = before
