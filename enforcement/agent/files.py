"""Writing files so that a reader sees the old or the new one, never half of one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Replace a file by rename. Durable: on disk before this returns.

    :raises OSError: the disk is full, read-only or gone; the old file is still there.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    if durable:
        _sync(path.parent)


def read(path: Path) -> bytes | None:
    """Give the content of a file, or nothing if there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def settle(path: Path) -> None:
    """Bring a written file and its name to the disk.

    :raises OSError: it is not there.
    """
    _sync(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
