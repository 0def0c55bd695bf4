"""A growing file of lines, read from where it was left, also by an earlier agent."""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from enforcement.agent import files
from enforcement.report import TrafficRecord

BATCH = 1000
LONGEST_LINE = 600


class Entry(NamedTuple):
    """What a line says, and the corrections that it counts for."""

    record: TrafficRecord
    counted: tuple[str, ...]


class Batch(NamedTuple):
    """Records, what they count, the offset behind them, and what is wrong with lines that are none."""

    records: list[TrafficRecord]
    refused: Counter[str]
    offset: int
    unreadable: tuple[str, ...] = ()


class _Place(msgspec.Struct, kw_only=True):
    """How far the file has been handed in, and what it counted until there."""

    inode: int = 0
    offset: int = 0
    refused: dict[str, int] = {}
    log: str = ""
    seq: int = 0
    left_out: int = 0


class Followed:
    """One such file. It may be put aside under another name; what is unread there is read first.

    :param understand: gives the entry of a line, or nothing where none belongs to it; raises
        ``msgspec.ValidationError`` where one does and it is out of bounds.
    """

    def __init__(
        self, path: Path, aside: Path, place: Path, understand: Callable[[bytes], Entry | None]
    ) -> None:
        self.path, self._aside, self._place_file = path, aside, place
        self._understand = understand
        self._place = self._load()
        self.refused = Counter(self._place.refused)

    @property
    def offset(self) -> int:
        """How far it has been handed in."""
        return self._place.offset

    @property
    def left_out(self) -> int:
        """How many records no hub keeps, because something in them is out of bounds."""
        return self._place.left_out

    def read(self) -> Batch:
        """Give the next records; nothing moves and nothing counts before :meth:`done`."""
        self._name()
        file = self._open()
        if file is None:
            return Batch([], Counter(), self._place.offset)
        with file:
            file.seek(self._place.offset)
            lines = file.readlines(BATCH * LONGEST_LINE)
        whole = [line for line in lines[:BATCH] if line.endswith(b"\n")]
        entries, unreadable = self._understood(whole)
        counts = Counter(name for entry in entries for name in entry.counted)
        records = [self._numbered(entry, seq) for seq, entry in enumerate(entries, self._place.seq + 1)]
        return Batch(records, counts, self._place.offset + sum(map(len, whole)), unreadable)

    def done(self, batch: Batch, *, left_out: int = 0) -> None:
        """Move on: these records have been handed in, but for those that no hub keeps."""
        if batch.offset == self._place.offset:
            return
        self.refused.update(batch.refused)
        self._place.offset = batch.offset
        self._place.seq += len(batch.records)
        self._place.left_out += len(batch.unreadable) + left_out
        self._place.refused = dict(self.refused)
        self._save()

    def _open(self) -> BinaryIO | None:
        """Open what has to be read next: the file put aside, as long as something of it is unread."""
        for path in (self._aside, self.path):
            if not path.exists():
                continue
            file = path.open("rb")
            found = os.fstat(file.fileno())
            known = found.st_ino == self._place.inode
            if path == self.path or (known and found.st_size > self._place.offset):
                if not known:
                    self._place.inode, self._place.offset = found.st_ino, 0
                return file
            file.close()
        return None

    def _understood(self, lines: list[bytes]) -> tuple[list[Entry], tuple[str, ...]]:
        entries: list[Entry] = []
        unreadable: list[str] = []
        for line in lines:
            try:
                entry = self._understand(line)
            except msgspec.ValidationError as error:
                unreadable.append(str(error))
            else:
                entries += [entry] if entry else []
        return entries, tuple(unreadable)

    def _numbered(self, entry: Entry, seq: int) -> TrafficRecord:
        return msgspec.structs.replace(entry.record, log=self._place.log, seq=seq)

    def _name(self) -> None:
        """Name the counting, and write that down before any of its numbers is told."""
        if not self._place.log:
            self._place.log = secrets.token_hex(8)
            self._save()

    def _save(self) -> None:
        files.write(self._place_file, msgspec.json.encode(self._place))

    def _load(self) -> _Place:
        """Take up the place; a lost one starts another counting, so that no number is taken twice."""
        try:
            return msgspec.json.decode(files.read(self._place_file) or b"{}", type=_Place)
        except msgspec.DecodeError:
            return _Place()
