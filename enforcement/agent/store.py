"""The last good policy on disk, and the rule that older ones are refused."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enforcement import policy
from enforcement.agent import files

LIST_BYTES = 1_000_000
"""What a list may well have."""


class StaleError(Exception):
    """A policy that is older than the one in force, or another one under its version."""


class Signed(NamedTuple):
    """A verified policy, the very bytes that were verified, and what it names."""

    policy: policy.Policy
    raw: bytes
    attachments: frozenset[str]

    @property
    def size(self) -> int:
        """How much it says, in bytes; one with lists says more than can be told by that."""
        return len(self.raw) + LIST_BYTES * len(self.attachments)


class PolicyStore:
    """Holds the policy in force and the one before. What it holds has been verified and is on disk."""

    def __init__(self, folder: Path, keys: dict[str, Ed25519PublicKey]) -> None:
        self.path = folder / "policy.json"
        self._previous_path = folder / "policy.previous.json"
        self._keys = keys
        self._current: Signed | None = None
        self._previous: Signed | None = None

    @property
    def current(self) -> policy.Policy | None:
        """The policy in force."""
        return self._current.policy if self._current else None

    @property
    def previous(self) -> policy.Policy | None:
        """The one before it, if it is not the same."""
        return self._previous.policy if self._previous else None

    @property
    def attachments(self) -> frozenset[str]:
        """What the policy in force names."""
        return self._current.attachments if self._current else frozenset()

    @property
    def size(self) -> int:
        """How much the policy in force says, in bytes."""
        return self._current.size if self._current else 0

    @property
    def needed(self) -> frozenset[str]:
        """What it and the one before it name."""
        return self.attachments | (self._previous.attachments if self._previous else frozenset())

    def load(self) -> str:
        """Take what is on disk, else the one before; give what was wrong with it, if anything."""
        why = []
        found = []
        for path in (self.path, self._previous_path):
            raw = files.read(path)
            if raw is None:
                continue
            try:
                found.append(self.verified(raw))
            except policy.PolicyError as error:
                why.append(f"{path.name}: {error}")
        self._current = found[0] if found else None
        self._previous = found[1] if len(found) > 1 else None
        return "; ".join(why)

    def fall_back(self) -> None:
        """Go on with the policy before, since what the current one names is not at hand."""
        self._current, self._previous = self._previous, None

    def verified(self, raw: bytes) -> Signed:
        """Verify a policy.

        :raises policy.PolicyError: it cannot be trusted or understood.
        """
        if self._current is not None and raw == self._current.raw:
            return self._current  # verified before; two hubs send the same
        arrived = policy.verify(raw, keys=self._keys)
        return Signed(arrived, raw, policy.attachments(arrived.content))

    def is_news(self, arrived: policy.Policy) -> bool:
        """Tell whether a policy is newer, and not the one in force once more.

        :raises StaleError: it is neither.
        """
        current = self.current
        if current is None or arrived.version > current.version:
            return True
        if arrived.version < current.version:
            raise StaleError(f"version {arrived.version} is older than {current.version}")
        if arrived.digest != current.digest:
            raise StaleError(f"version {arrived.version} is known with another content")
        return False

    def save(self, arrived: Signed) -> None:
        """Put a policy on disk and in force, and keep the one before it.

        :raises OSError: it is not on disk, and not in force.
        """
        if self._current is not None:
            files.write(self._previous_path, self._current.raw)
        files.write(self.path, arrived.raw, durable=True)
        self._previous, self._current = self._current, arrived

    def take_back(self) -> None:
        """Return to the policy before, since the gateway rejects this one.

        :raises OSError: it is in force again, but not on disk.
        """
        before, self._current = self._previous, self._previous
        self._previous = None
        if before is None:
            self.path.unlink(missing_ok=True)
        else:
            files.write(self.path, before.raw, durable=True)
