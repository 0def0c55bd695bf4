"""Files that survive a crash: complete or absent, and on the disk before anybody is told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE: Final = 0o600


def replace(path: Path, content: bytes, *, keep: Path | None = None) -> None:
    """Put content in the place of the file; what was there goes to ``keep``."""
    unfinished = path.with_name(f"{path.name}.part")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if keep is not None and path.exists():
        # A second name, not a move: there is no moment at which the file is missing.
        other = keep.with_name(f"{keep.name}.part")
        other.unlink(missing_ok=True)
        os.link(path, other)
        other.replace(keep)
    unfinished.replace(path)
    sync_folder(path.parent)


def append(path: Path, content: bytes) -> None:
    """Add to the end of a file, all of it or nothing."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)
    try:
        before = os.fstat(descriptor).st_size
        with os.fdopen(descriptor, "ab", closefd=False) as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, before)
        raise
    finally:
        os.close(descriptor)


def read(path: Path) -> bytes | None:
    """Give what is in the file, if there is one."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def private_folder(path: Path) -> Path:
    """Make a folder that its owner alone may enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def sync_folder(path: Path) -> None:
    """Bring names that were added or moved to the disk."""
    sync_file(path)


def sync_file(path: Path) -> None:
    """Bring what was written to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
