"""The agent's last good policy, read again when the file changes."""

from __future__ import annotations

from pathlib import Path
from typing import Generic, TypeVar

import structlog

from enforcement import policy

log = structlog.get_logger()
T = TypeVar("T")


class Watched(Generic[T]):
    """A file that is parsed whenever another one has taken its place."""

    def __init__(self, path: Path, kind: type[T]) -> None:
        self._path, self._kind = path, kind
        self._stamp: tuple[int, int] | None = None
        self._value: T | None = None

    def get(self) -> T | None:
        """Give what the file says; the last good content if it cannot be read, else nothing."""
        stamp = self._found()
        if stamp != self._stamp:
            self._read()
            self._stamp = stamp
        return self._value

    def changed(self) -> bool:
        """Tell whether another file has taken its place since it was read."""
        return self._found() != self._stamp

    def _found(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return self._stamp
        return found.st_ino, found.st_mtime_ns

    def _read(self) -> None:
        try:
            self._value = policy.parse(self._path.read_bytes(), self._kind)
        except (OSError, policy.PolicyError) as error:
            log.error(  # noqa: TRY400 - the reason is the message
                "file_not_read", path=str(self._path), error=str(error)
            )
