"""Reading what the commands are given. Whatever is wrong is told with the name of the file."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enforcement import policy
from enforcement.keys import parse_keys

T = TypeVar("T")


class InputError(Exception):
    """A file cannot be read or understood."""


def raw(path: str) -> bytes:
    """Read a file, or standard input for ``-``.

    :raises InputError: it cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def parsed(path: str, kind: type[T]) -> T:
    """Read a file of JSON.

    :raises InputError: it cannot be read, or holds something else.
    """
    try:
        return policy.parse(raw(path), kind)
    except policy.PolicyError as error:
        raise InputError(f"{path}: {error}") from error


def keys(path: str) -> dict[str, Ed25519PublicKey]:
    """Read the keys that policies are trusted by.

    :raises InputError: it cannot be read, or holds no keys.
    """
    try:
        return parse_keys(raw(path))
    except policy.PolicyError as error:
        raise InputError(f"{path}: {error}") from error


class Folder:
    """Attachments in a folder: each in a file that is named by its address, or by the digest alone."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None
        if self._path is not None and not self._path.is_dir():
            raise InputError(f"{path}: no such folder")
        self._read: dict[str, frozenset[str]] = {}

    def bytes_of(self, address: str) -> bytes | None:
        """Give the bytes; None where there is no such file.

        :raises PolicyError: the bytes are not those that the address names.
        """
        if self._path is None:
            return None
        for name in (address, address.removeprefix("sha256:")):
            if (self._path / name).is_file():
                return _checked(address, (self._path / name).read_bytes())
        return None

    def subjects(self, address: str) -> Collection[str]:
        """Give the names of a list.

        :raises PolicyError: it is not there, or not what its address says.
        """
        if address not in self._read:
            found = self.bytes_of(address)
            if found is None:
                raise policy.PolicyError(f"{address}: not there; name its folder with --attachments")
            self._read[address] = policy.read_subject_list(found)
        return self._read[address]


def _checked(address: str, found: bytes) -> bytes:
    if policy.address(found) != address:
        raise policy.PolicyError(f"{address}: the file holds other bytes")
    return found
