"""What corrections did to content, line by line, for the agent to collect. No content."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from enforcement import policy
from enforcement.decide import Attributes
from enforcement.filter.guards import What

log = structlog.get_logger()

FILE = "filter-events.log"
ROTATE_BYTES = 64 * 1024 * 1024


class Record(msgspec.Struct, kw_only=True):
    """One line. ``refused``: the access log has the refusal too, so that it counts once."""

    at: str
    correction: str
    what: str
    where: str
    refused: bool
    policy: int
    request: dict[str, object]


class Book:
    """The file: appended to, a line at a time; put aside as ``.1`` when it has grown large."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, record: Record) -> None:
        """Append a line. A full disk loses the line, never the request."""
        line = msgspec.json.encode(record) + b"\n"
        try:
            with self._path.open("ab", buffering=0) as file:
                file.write(line)
                full = os.fstat(file.fileno()).st_size > ROTATE_BYTES
            if full:
                self._path.replace(self._path.with_name(FILE + ".1"))
        except OSError as error:
            log.error("event_not_recorded", error=str(error))  # noqa: TRY400 - the reason is the message


@dataclass
class Told:
    """What the corrections have done to one request so far: for the headers, and for the book."""

    flagged: list[str] = field(default_factory=list)
    shadow: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def note(self, correction: policy.Correction, what: What) -> None:
        """Remember it."""
        names = {"flagged": self.flagged, "shadow": self.shadow, "redacted": self.changed}.get(what, [])
        if correction.id not in names:
            names.append(correction.id)

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Give the headers that say so."""
        lists = ((b"x-irapp-flagged", self.flagged), (b"x-irapp-shadow", self.shadow))
        found = [(name, ", ".join(names).encode()) for name, names in lists if names]
        return [*found, (b"x-irapp-correction", min(self.changed).encode())] if self.changed else found


def attributes_of(attributes: Attributes) -> dict[str, object]:
    """Give what a line says about the request: what is not empty."""
    every = {name: getattr(attributes, name) for name in Attributes.__dataclass_fields__}
    return {name: value for name, value in every.items() if value not in ("", None, (), False)}
