"""The policy's place: fenced by version, durable before anybody is told, the previous one kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from enforcement import policy
from enforcement.hub import disk
from enforcement.hub.http import ProblemError
from enforcement.report import PolicyRef, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from enforcement.hub.attachments import Attachments
    from enforcement.hub.bell import Bell

log = structlog.get_logger()


@dataclass(frozen=True)
class Stored:
    """A verified policy and the very bytes that were verified."""

    ref: PolicyRef
    raw: bytes
    attachments: frozenset[str]

    @property
    def etag(self) -> str:
        """The tag by which gateways know what they have."""
        return f'"{self.ref.version}-{self.ref.digest}"'


class Shelf:
    """Holds the newest policy."""

    def __init__(
        self, folder: Path, keys: dict[str, Ed25519PublicKey], bell: Bell, attachments: Attachments
    ) -> None:
        self._path = disk.private_folder(folder) / "policy.json"
        self._attachments = attachments
        self._previous = folder / "policy.previous.json"
        self._keys = keys
        self._bell = bell
        self._lock = asyncio.Lock()
        self.problems: list[Problem] = []
        self.current = self._load()

    def whole(self) -> PolicyRef | None:
        """Name the policy, if all that it names is here too; else it has to be brought again."""
        current = self.current
        return current.ref if current and not self._attachments.missing(current.attachments) else None

    def found_wrong(self) -> list[Problem]:
        """Tell what an operator should know."""
        missing = self._attachments.missing(self.current.attachments) if self.current else []
        lost = [Problem(code="attachment_missing", detail=digest) for digest in missing]
        return [*self.problems, *lost]

    async def put(self, raw: bytes) -> Stored:
        """Store a policy, or refuse it.

        :raises ProblemError: it does not verify, is older than the current one, names what is not here, or
            cannot be stored.
        """
        new = await asyncio.to_thread(self._verified, raw)
        async with self._lock:
            newer = self.current is None or _is_newer(new.ref, self.current.ref)
            await self._check_attachments(new)
            if newer:
                await self._store(new)
        return new

    async def _check_attachments(self, new: Stored) -> None:
        missing = await asyncio.to_thread(self._attachments.missing, new.attachments)
        if missing:
            detail = f"{len(missing)} of what the policy names is not here."
            raise ProblemError(409, "missing_attachments", detail, missing=missing)

    async def _store(self, new: Stored) -> None:
        try:
            await asyncio.to_thread(disk.replace, self._path, new.raw, keep=self._previous)
        except OSError as error:
            self.problems = [Problem(code="policy_not_stored", detail=str(error.strerror))]
            log.warning("policy_not_stored", version=new.ref.version, error=error.strerror)
            raise ProblemError(503, "storage_failed", f"Not stored: {error.strerror}.") from error
        before, self.current = self.current, new
        self.problems = []
        self._bell.ring()
        needed = new.attachments | (before.attachments if before else frozenset())
        await asyncio.to_thread(self._attachments.clean, needed)
        log.info("policy_stored", version=new.ref.version, digest=new.ref.digest, bytes=len(new.raw))

    def _verified(self, raw: bytes) -> Stored:
        try:
            document = policy.verify(raw, keys=self._keys)
        except (policy.PolicyError, RecursionError, UnicodeError) as error:
            raise ProblemError(422, "bad_policy", str(error)) from error
        ref = PolicyRef(version=document.version, digest=document.digest)
        return Stored(ref, raw, policy.attachments(document.content))

    def _load(self) -> Stored | None:
        """Start from the disk: the newest file that verifies."""
        for path in (self._path, self._previous):
            raw = disk.read(path)
            if raw is None:
                continue
            try:
                return self._verified(raw)
            except ProblemError as error:
                detail = f"{path.name} was not used: {error}"
                self.problems.append(Problem(code="policy_unreadable", detail=detail))
                log.warning("policy_unreadable", file=path.name, error=str(error))
        return None


def _is_newer(new: PolicyRef, current: PolicyRef) -> bool:
    """Fence: what was accepted once may come again, anything else must be newer.

    :raises ProblemError: an older version, or another content for the same version.
    """
    if new == current:
        return False
    if new.version > current.version:
        return True
    log.warning("policy_refused", version=new.version, current=current.version)
    raise ProblemError(
        409,
        "stale_version",
        f"Version {new.version} is not newer than the current one, {current.version}.",
        version=current.version,
    )
