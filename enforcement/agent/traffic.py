"""Envoy's access log as records of attributes, and the counts of what was refused."""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from enforcement import report
from enforcement.agent import files

BATCH = 1000
ROTATE_BYTES = 64 * 1024 * 1024


class _Request(msgspec.Struct, kw_only=True):
    """What the gateway's script wrote down; what is empty is left out."""

    user: str
    organisation: str
    key: str
    application: str
    use_case: str = ""
    endpoint: str
    model: str
    region: str = ""
    tier: str = ""
    platform: str = ""
    stream: bool = False
    max_tokens: int | None = None
    body_bytes: int | None = None
    tools: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    shadow: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    policy: int | None = None
    probe: bool = False


class _Line(msgspec.Struct, kw_only=True):
    at: datetime
    status: int
    correction: str
    request: _Request
    dry: dict[str, bool] | None = None


class _Place(msgspec.Struct, kw_only=True):
    """How far the log has been handed in, and what it counted until there."""

    inode: int = 0
    offset: int = 0
    refused: dict[str, int] = {}
    log: str = ""
    seq: int = 0


class Batch(NamedTuple):
    """Records, what they count, and the offset behind them."""

    records: list[report.TrafficRecord]
    refused: Counter[str]
    offset: int


class AccessLog:
    """Reads the log from where it was left, also by an earlier agent."""

    def __init__(self, folder: Path, gateway: str) -> None:
        self.path = folder / "access.log"
        self._place_file = folder / "access.place.json"
        self.gateway = gateway
        self._place = self._load()
        self.refused = Counter(self._place.refused)

    def read(self) -> Batch:
        """Give the next records; nothing moves and nothing counts before :meth:`done`."""
        self._name()
        if not self.path.exists():
            return Batch([], Counter(), self._place.offset)
        with self.path.open("rb") as file:
            self._follow(os.fstat(file.fileno()).st_ino)
            file.seek(self._place.offset)
            lines = file.readlines(BATCH * 600)
        whole = [line for line in lines[:BATCH] if line.endswith(b"\n")]
        entries = [entry for line in whole if (entry := _parse(line)) is not None]
        counts = Counter(name for entry in entries for name in _counted(entry))
        first = self._place.seq + 1
        records = [self._record(entry, seq) for seq, entry in enumerate(entries, first)]
        return Batch(records, counts, self._place.offset + sum(map(len, whole)))

    def done(self, batch: Batch) -> None:
        """Move on: these records have been handed in."""
        if batch.offset == self._place.offset:
            return
        self.refused.update(batch.refused)
        self._place.offset = batch.offset
        self._place.seq += len(batch.records)
        self._place.refused = dict(self.refused)
        self._save()

    def rotate(self) -> bool:
        """Put a large log that has been read to its end aside; the caller lets Envoy reopen it."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < ROTATE_BYTES or size != self._place.offset:
            return False
        self.path.rename(self.path.with_suffix(".log.1"))
        return True

    def _follow(self, inode: int) -> None:
        if self._place.inode != inode:
            self._place.inode, self._place.offset = inode, 0

    def _record(self, line: _Line, seq: int) -> report.TrafficRecord:
        attributes = {name: getattr(line.request, name) for name in _TAKEN_OVER}
        attributes["shadow"] = _shadow(line)
        return report.TrafficRecord(
            at=line.at,
            gateway=self.gateway,
            status=line.status,
            correction=None if line.correction == "-" else line.correction,
            log=self._place.log,
            seq=seq,
            **attributes,
        )

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


_TAKEN_OVER = tuple(name for name in _Request.__struct_fields__ if name != "probe")


_NO_DRY = b',"dry":-}'


def _parse(raw: bytes) -> _Line | None:
    """Give the line, unless it was cut off by a crash or tells of a probe."""
    if raw.endswith(_NO_DRY):  # what is not there, Envoy writes as a dash
        raw = raw.removesuffix(_NO_DRY) + b"}"
    try:
        line = msgspec.json.decode(raw, type=_Line)
    except msgspec.DecodeError:
        return None
    return None if line.request.probe else line


def _counted(line: _Line) -> Iterator[str]:
    """Give the corrections that refused the request, or would have."""
    if line.correction != "-" and line.status >= 400:  # noqa: PLR2004
        yield line.correction
    yield from _shadow(line)


def _shadow(line: _Line) -> tuple[str, ...]:
    """Give the dry runs that would have done something: the script's, and those of limits."""
    return (*line.request.shadow, *(line.dry or ()))
