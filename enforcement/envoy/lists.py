"""Long lists of subjects as files that the gateway's script looks names up in, without parsing them.

A hash table: magic, number of buckets (a power of two), where each bucket starts and the last one ends, then
the buckets. A bucket holds its names one after the other, each with a line feed before and behind it. The
bucket of a name is its CRC-32. Numbers are 32 bits, little-endian.
"""

from __future__ import annotations

import os
import secrets
import time
from array import array
from collections.abc import Collection
from itertools import accumulate
from pathlib import Path
from sys import byteorder
from typing import NamedTuple, Protocol
from zlib import crc32

from enforcement import policy

MAGIC = b"irapp-list/1\n"
FOLDER = "lists"
KEPT_SECONDS = 3600.0
"""At least half so long a list stays after the last policy that named it: a worker may go by it."""


class Raw(Protocol):
    """Where attachments are kept."""

    def raw(self, address: str) -> bytes:
        """Give the bytes.

        :raises PolicyError: they are not at hand.
        """


class Rendered(NamedTuple):
    """A list on disk: its file's name, size and age. What had to be written again has to be read again."""

    name: str
    size: int
    written: int


def located(folder: Path, address: str) -> Path:
    """Say where a list is, or will be."""
    return folder / _name(address)


def write(folder: Path, addresses: Collection[str], attachments: Raw | None) -> dict[str, Rendered]:
    """Write what is not there yet, by address; a list never changes under its name.

    :raises PolicyError: a list is not at hand or malformed.
    :raises OSError: it cannot be written.
    """
    if not addresses:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    return {address: _written(located(folder, address), address, attachments) for address in addresses}


def clean(folder: Path, kept: Collection[str]) -> None:
    """Remove lists that no policy has named for a while."""
    if not folder.is_dir():
        return
    names, before = {_name(address) for address in kept}, time.time() - KEPT_SECONDS
    for path in folder.iterdir():
        if path.name not in names and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)


def table(raw: bytes) -> bytes:
    """Give the hash table of a list as :func:`enforcement.policy.subject_list` writes it."""
    names = raw.split(b"\n")[:-1]
    count = 1 << max(0, (len(names) - 1).bit_length())
    mask = count - 1
    placed = sorted((crc32(name) & mask, name) for name in names)
    sizes = [0] * (count + 1)
    sizes[0] = len(MAGIC) + 4 + 4 * (count + 1)
    for bucket, name in placed:
        sizes[bucket + 1] += len(name) + 2
    offsets = array("I", accumulate(sizes))
    if byteorder == "big":
        offsets.byteswap()
    buckets = b"\n" + b"\n\n".join(name for _, name in placed) + b"\n"
    return MAGIC + count.to_bytes(4, "little") + offsets.tobytes() + buckets


class Table:
    """A written list, to look names up in as the script does."""

    def __init__(self, raw: bytes) -> None:
        self._raw, at = raw, len(MAGIC)
        self._mask = int.from_bytes(raw[at : at + 4], "little") - 1

    def __contains__(self, name: object) -> bool:
        sought = str(name).encode()
        at = len(MAGIC) + 4 + 4 * (crc32(sought) & self._mask)
        from_, to = (int.from_bytes(self._raw[each : each + 4], "little") for each in (at, at + 4))
        return b"\n" + sought + b"\n" in self._raw[from_:to]


def _written(path: Path, address: str, attachments: Raw | None) -> Rendered:
    size = _whole(path)
    if size:
        if time.time() - path.stat().st_mtime > KEPT_SECONDS / 2:
            os.utime(path)  # in use
        return Rendered(path.name, size, path.stat().st_mtime_ns)
    if attachments is None:
        raise policy.PolicyError(f"{address}: the attachment is not at hand")
    data = table(attachments.raw(address))
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return Rendered(path.name, len(data), path.stat().st_mtime_ns)


def _whole(path: Path) -> int:
    """Give the size of a list that is on disk to its last byte, else nothing."""
    try:
        with path.open("rb") as file:
            head = file.read(len(MAGIC) + 4)
            file.seek(4 * int.from_bytes(head[len(MAGIC) :], "little"), os.SEEK_CUR)
            size = int.from_bytes(file.read(4), "little")
            return size if head.startswith(MAGIC) and size == os.fstat(file.fileno()).st_size else 0
    except FileNotFoundError:
        return 0


def _name(address: str) -> str:
    return address.removeprefix("sha256:")
