"""The files that Envoy reads, as this agent wrote them; whoever changes one behind its back is noticed."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from enforcement.agent import files

_Stamp = tuple[int, int, int]


class _Known(NamedTuple):
    stamp: _Stamp
    digest: bytes


class Placed:
    """Writes files and keeps in mind what they say. A version inside a file proves nothing of the rest."""

    def __init__(self) -> None:
        self._known: dict[Path, _Known] = {}
        self._watched: frozenset[Path] = frozenset()

    def put(self, path: Path, data: bytes) -> bool:
        """Write a file unless it says this already; tell whether it did not.

        :raises OSError: it cannot be written.
        """
        digest, known = _digest(data), self._known.get(path)
        if known is not None and known.digest == digest and self._is_as_it_was(path, known):
            return False
        changed = known is not None or files.read(path) != data
        if changed:
            files.write(path, data)
        self._known[path] = _Known(_stamp(path), digest)
        return changed

    def watch(self, paths: frozenset[Path]) -> None:
        """Look after these as well, which somebody else writes and nobody ever changes, and after no others.

        :raises OSError: one of them cannot be read.
        """
        for path in self._watched - paths:
            self._known.pop(path, None)
        self._watched = paths
        for path in paths - self._known.keys():
            self._known[path] = _Known(_stamp(path), _digest(path.read_bytes()))

    def meddled(self) -> list[str]:
        """Give the names of the files that say something else by now, or are gone.

        Those that are only watched are removed, for who writes them would take them for whole.
        """
        found = [path for path, known in list(self._known.items()) if not self._is_as_it_was(path, known)]
        for path in self._watched.intersection(found):
            with suppress(OSError):  # it is still told of, and whoever writes it will say why it cannot
                path.unlink()
        return [path.name for path in found]

    def _is_as_it_was(self, path: Path, known: _Known) -> bool:
        try:
            stamp = _stamp(path)
            if stamp == known.stamp:
                return True
            same = _digest(path.read_bytes()) == known.digest
        except OSError:  # gone, or no file any longer
            return False
        if same:  # touched, and no more
            self._known[path] = known._replace(stamp=stamp)
        return same


def _stamp(path: Path) -> _Stamp:
    """Give what nobody can keep when a file is changed; much cheaper than to read it."""
    found = path.stat()
    return found.st_ino, found.st_ctime_ns, found.st_size


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
