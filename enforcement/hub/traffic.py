"""The attributes of recent requests: a ring of segment files, read by cursor.

A record's number only grows; the cursor is the number of the last record read. Old segments are removed,
by age and by count, and a reader who comes too late is told how many records it missed.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import structlog

from enforcement.hub import disk
from enforcement.hub.http import ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from enforcement.report import TrafficRecord

SEGMENT_RECORDS = 5_000
KEEP_SECONDS = 24 * 3600
log = structlog.get_logger()


@dataclass
class Segment:
    """One file of records, one a line. ``first`` is the number of its first record."""

    first: int
    path: Path
    count: int = 0
    lines: list[bytes] = field(default_factory=list)
    """The records themselves, while the segment still grows."""

    newest: float = 0.0
    """When its last record came."""

    @property
    def last(self) -> int:
        """The number of its last record."""
        return self.first + self.count - 1


@dataclass(frozen=True)
class Page:
    """What a reader gets."""

    records: Sequence[bytes]
    cursor: int
    lost: int


class Traffic:
    """The ring."""

    def __init__(self, folder: Path, *, most: int) -> None:
        self._folder = disk.private_folder(folder)
        self._most = most
        self._segments = self._load()
        self._pending: list[bytes] = []
        self._lock = asyncio.Lock()

    async def add(self, records: Sequence[TrafficRecord]) -> None:
        """Note records; they are on the disk when this returns.

        Batches that come while one is being written are written together.
        """
        self._pending += map(msgspec.json.encode, records)
        async with self._lock:
            if self._pending:
                lines, self._pending = self._pending, []
                await self._write(lines)

    async def page(self, *, after: int, limit: int) -> Page:
        """Give the records after a cursor, oldest first."""
        async with self._lock:
            return await asyncio.to_thread(self._page, after, limit)

    async def _write(self, lines: list[bytes]) -> None:
        try:
            await asyncio.to_thread(self._append, lines)
        except OSError as error:
            log.warning("traffic_not_stored", records=len(lines), error=error.strerror)
            raise ProblemError(503, "storage_failed", f"Not stored: {error.strerror}.") from error

    def _append(self, lines: list[bytes]) -> None:
        segment = self._segments[-1]
        disk.append(segment.path, b"".join(line + b"\n" for line in lines))
        segment.lines += lines
        segment.count += len(lines)
        segment.newest = time.time()
        if segment.count >= SEGMENT_RECORDS:
            segment.lines = []
            self._segments.append(self._new(segment.last + 1))
            self._forget()

    def _page(self, after: int, limit: int) -> Page:
        # A cursor from before the ring was emptied by hand means nothing here: start over.
        start = after + 1 if after <= self._segments[-1].last else self._segments[0].first
        lost = max(self._segments[0].first - start, 0)
        start += lost
        index = bisect_right([segment.first for segment in self._segments], start) - 1
        records: list[bytes] = []
        for segment in self._segments[max(index, 0) :]:
            offset = max(start - segment.first, 0)
            records += _lines(segment)[offset : offset + limit - len(records)]
            if len(records) >= limit:
                break
        return Page(records, start + len(records) - 1, lost)

    def _forget(self) -> None:
        """Drop the oldest segments."""
        too_old = time.time() - KEEP_SECONDS
        while self._beside_oldest() >= self._most or 0 < self._segments[0].newest < too_old:
            oldest = self._segments.pop(0)
            oldest.path.unlink(missing_ok=True)
            log.info("traffic_forgotten", first=oldest.first, records=oldest.count)

    def _beside_oldest(self) -> int:
        return self._segments[-1].last - self._segments[0].last

    def _new(self, first: int) -> Segment:
        return Segment(first, self._folder / f"{first:016d}.jsonl")

    def _load(self) -> list[Segment]:
        """Take up the files of an earlier run; what was cut off in the middle is dropped."""
        segments = []
        for path in sorted(self._folder.glob("*.jsonl")):
            if lines := _whole_lines(path):
                newest = path.stat().st_mtime
                segments.append(Segment(int(path.stem), path, len(lines), newest=newest))
            else:
                path.unlink()
        return [*segments, self._new(segments[-1].last + 1 if segments else 1)]


def _lines(segment: Segment) -> list[bytes]:
    return segment.lines or _whole_lines(segment.path)


def _whole_lines(path: Path) -> list[bytes]:
    content = disk.read(path) or b""
    return content.split(b"\n")[:-1]
