"""Envoy's access log and the content filter's events as records of attributes, and what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from enforcement.agent.followed import Entry, Followed
from enforcement.report import TrafficRecord

ROTATE_BYTES = 64 * 1024 * 1024
_REFUSED = 400
_WITHHELD = 403
_NO_DRY = b',"dry":-}'
T = TypeVar("T")


class _Attributes(msgspec.Struct, kw_only=True):
    """What was written down about a request; what is empty is left out."""

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


_TAKEN_OVER = _Attributes.__struct_fields__


class _Request(_Attributes, kw_only=True):
    shadow: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    policy: int | None = None
    probe: bool = False
    weight: int = 1


class _Line(msgspec.Struct, kw_only=True):
    at: datetime
    status: int
    correction: str
    request: _Request
    dry: dict[str, bool] | None = None


class _Event(msgspec.Struct, kw_only=True):
    """One act of one correction on one request, as the content filter tells it."""

    at: datetime
    correction: str
    what: Literal["blocked", "redacted", "flagged", "shadow"]
    refused: bool
    policy: int | None = None
    request: _Attributes


for _first in (_Line, _Event):
    msgspec.json.Decoder(_first)  # before any thread does: see enforcement.policy


class AccessLog(Followed):
    """What Envoy wrote down of requests that it decided about: of each, or of one for several."""

    def __init__(self, folder: Path, gateway: str) -> None:
        path = folder / "access.log"
        aside = path.with_suffix(".log.1")
        super().__init__(path, aside, folder / "access.place.json", partial(_request, gateway))
        self._old = aside

    def rotate(self) -> bool:
        """Put a large log that has been read to its end aside; the caller lets Envoy reopen it."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < ROTATE_BYTES or size != self.offset:
            return False
        self.path.rename(self._old)
        return True


def filter_events(folder: Path, places: Path, gateway: str) -> Followed:
    """Follow what the content filter wrote down; it puts a large file aside by itself."""
    path = folder / "filter-events.log"
    aside = path.with_suffix(".log.1")
    return Followed(path, aside, places / "filter-events.place.json", partial(_act, gateway))


def _request(gateway: str, raw: bytes) -> Entry | None:
    """Understand a line of the access log, unless it was cut off by a crash or tells of a probe."""
    line = _decoded(_without_dash(raw), _Line)
    if line is None or line.request.probe:
        return None
    shadow = (*line.request.shadow, *(line.dry or ()))
    record = TrafficRecord(
        at=line.at,
        gateway=gateway,
        status=line.status,
        correction=None if line.correction == "-" else line.correction,
        shadow=shadow,
        warned=line.request.warned,
        policy=line.request.policy,
        weight=line.request.weight,
        **_taken_over(line.request),
    )
    return Entry(record, (*_refusing(line), *shadow))


def _without_dash(raw: bytes) -> bytes:
    """Leave out what there is none of: Envoy writes a dash for it."""
    line = raw.rstrip()
    return line.removesuffix(_NO_DRY) + b"}" if line.endswith(_NO_DRY) else line


def _act(gateway: str, raw: bytes) -> Entry | None:
    """Understand an event, unless the access log tells the same: that the request was refused."""
    event = _decoded(raw, _Event)
    if event is None or event.refused:
        return None
    named = (event.correction,)
    record = TrafficRecord(
        at=event.at,
        gateway=gateway,
        # An answer that was withheld counts as refused, although its request had been let through.
        status=_WITHHELD if event.what == "blocked" else 200,
        correction=event.correction if event.what in ("blocked", "redacted") else None,
        shadow=named if event.what == "shadow" else (),
        flagged=named if event.what == "flagged" else (),
        policy=event.policy,
        weight=0,
        **_taken_over(event.request),
    )
    return Entry(record, named if event.what in ("blocked", "shadow") else ())


def _decoded(raw: bytes, kind: type[T]) -> T | None:
    """Read a line; names that callers give may hold any bytes, or end inside a character.

    :raises msgspec.ValidationError: it is whole, and something in it is out of bounds.
    """
    try:
        return msgspec.json.decode(raw.decode(errors="replace"), type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:  # cut off
        return None


def _taken_over(request: _Attributes) -> dict[str, Any]:
    return {name: getattr(request, name) for name in _TAKEN_OVER}


def _refusing(line: _Line) -> Iterator[str]:
    if line.correction != "-" and line.status >= _REFUSED:
        yield line.correction
