"""What policies name by content address: large lists and pattern sets, one file each, named by its digest.

A file that is here is complete and is what its name says. Nothing is ever changed in place, so a policy
that was verified once never means something else later.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from enforcement.hub import disk
from enforcement.hub.http import ProblemError, Response

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from enforcement.hub.http import Request

PREFIX: Final = "/v1/attachments/"
MOST_BYTES: Final = 64_000_000
MOST_FILES: Final = 10_000
GRACE_SECONDS: Final = 24 * 3600
BINARY: Final = "application/octet-stream"
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
log = structlog.get_logger()


class Attachments:
    """The folder of attachments, and what answers under ``/v1/attachments/``."""

    def __init__(self, folder: Path) -> None:
        self._folder = disk.private_folder(folder)
        self._sound: dict[str, tuple[int, int, int]] = {}
        for unfinished in self._folder.glob("*.part"):
            unfinished.unlink(missing_ok=True)

    async def put(self, request: Request) -> Response:
        """Take an attachment in; the same one again is fine."""
        name = _name(request)
        known = await asyncio.to_thread(self._is_sound, name)
        if known:
            # Used again: its day starts anew, so that a policy that is on its way can name it.
            await asyncio.to_thread(os.utime, self._folder / name)
        else:
            await self._receive(name, request)
        return Response(status=204)

    async def get(self, request: Request) -> Response:
        """Hand an attachment out."""
        name = _name(request)
        if not await asyncio.to_thread(self._is_sound, name):
            raise _not_here(name)
        content = await asyncio.to_thread((self._folder / name).read_bytes)
        return Response(content, content_type=BINARY, headers={"etag": f'"{name}"'})

    async def head(self, request: Request) -> Response:
        """Say whether it is here."""
        name = _name(request)
        if not await asyncio.to_thread(self._is_sound, name):
            raise _not_here(name)
        return Response(content_type=BINARY, headers={"etag": f'"{name}"'})

    def missing(self, digests: Iterable[str]) -> list[str]:
        """Name those that are not here whole."""
        return sorted(one for one in digests if not self._is_sound(one.removeprefix("sha256:")))

    def clean(self, needed: Iterable[str]) -> None:
        """Remove what nobody needs and nobody brought within the last day."""
        keep = {digest.removeprefix("sha256:") for digest in needed}
        too_old = time.time() - GRACE_SECONDS
        for path in self._folder.iterdir():
            if path.name not in keep and path.stat().st_mtime < too_old:
                path.unlink(missing_ok=True)
                self._sound.pop(path.name, None)
                log.info("attachment_removed", digest=f"sha256:{path.name}")

    async def _receive(self, name: str, request: Request) -> None:
        unfinished = self._folder / f"{name}.{secrets.token_hex(4)}.part"
        try:
            await self._write(unfinished, name, request)
            await asyncio.to_thread(_settle, unfinished, self._folder / name)
        except OSError as error:
            log.warning("attachment_not_stored", digest=f"sha256:{name}", error=error.strerror)
            raise ProblemError(503, "storage_failed", f"Not stored: {error.strerror}.") from error
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
        log.info("attachment_stored", digest=f"sha256:{name}")

    async def _write(self, path: Path, name: str, request: Request) -> None:
        """Write the body down as it comes, and see that it is what it is called."""
        if sum(1 for _ in self._folder.iterdir()) > MOST_FILES:
            raise ProblemError(503, "storage_full", f"There are {MOST_FILES} attachments already.")
        found = hashlib.sha256()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, disk.PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            async for part in request.parts(most=MOST_BYTES):
                found.update(part)
                file.write(part)
        if found.hexdigest() != name:
            raise ProblemError(422, "bad_attachment", f"The body is sha256:{found.hexdigest()}.")

    def _is_sound(self, name: str) -> bool:
        """Tell whether the file is here and is what it is called; read only when it is new to us."""
        path = self._folder / name
        try:
            found = path.stat()
            stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
            if self._sound.get(name) != stamp and not _holds(path, name):
                path.unlink(missing_ok=True)
                log.warning("attachment_damaged", digest=f"sha256:{name}")
                return False
        except OSError:
            return False
        self._sound[name] = stamp
        return True


def _holds(path: Path, name: str) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == name


def _settle(unfinished: Path, path: Path) -> None:
    """Bring the file to the disk, then give it its name."""
    disk.sync_file(unfinished)
    unfinished.replace(path)
    disk.sync_folder(path.parent)


def _name(request: Request) -> str:
    found = _DIGEST.fullmatch(request.path.removeprefix(PREFIX))
    if found is None:
        raise ProblemError(404, "not_found", "An attachment is named sha256:, then 64 digits.")
    return found.group(1)


def _not_here(name: str) -> ProblemError:
    return ProblemError(404, "no_attachment", f"sha256:{name} is not here.")
