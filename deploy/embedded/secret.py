"""Files that hold secrets: made once, readable by their owner alone."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def secret(path: Path) -> str:
    """Give the secret in the file; the first time, make one of 256 random bits."""
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    return path.read_text()


def write_private(path: Path, text: str) -> None:
    """Write a file that appears complete or not at all, and never with wider permissions."""
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
