"""Reading files of patterns: one term per line, CSV with headings, or JSON. Every entry is accounted for."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from corrections.segments.models import Mode
from corrections.segments.reading import VALUE_SHOWN, Invalid, decoded
from enforcement import patterns as engine
from enforcement import policy
from irapp.common.errors import InvalidError

FIELDS: Final = ("id", "kind", "text", "weight", "sample")
MOST: Final = 2 * policy.PATTERNS_MOST
Pattern = policy.Pattern


@dataclass(frozen=True)
class ReadPatterns:
    """What a file says.

    :ivar form: ``lines``, ``csv`` or ``json``.
    """

    form: str
    patterns: tuple[Pattern, ...]
    rows: int
    blank: int
    duplicates: int
    invalid: tuple[Invalid, ...]


@dataclass(frozen=True)
class Change:
    """What becomes of a set: ids that come, go, and say something else than before."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    known: int
    absent: int
    result: tuple[Pattern, ...]

    @property
    def nothing(self) -> bool:
        """It would stay as it is."""
        return not (self.added or self.removed or self.changed)


@dataclass
class _Tally:
    patterns: dict[str, Pattern] = field(default_factory=dict)
    rows: int = 0
    blank: int = 0
    duplicates: int = 0
    invalid: list[Invalid] = field(default_factory=list)


def read(raw: bytes, *, name: str = "") -> ReadPatterns:
    """Read a file of patterns; its form shows in its first character, else in its heading.

    :raises InvalidError: it is no such file as a whole.
    """
    text = decoded(raw)
    form = _form(text, name)
    found = _Tally()
    for line, entry in _FORMS[form](text):
        _take(found, line, entry)
        if found.rows > MOST:
            raise InvalidError(f"The file has more than {MOST} entries.", field="file", code="too_many_rows")
    if not found.rows:
        raise InvalidError("The file has no patterns.", field="file", code="empty_file")
    return _read(form, found)


def of_entries(entries: Iterable[Mapping[str, object]]) -> ReadPatterns:
    """Treat entries that were sent as a file, numbered from 1."""
    found = _Tally()
    for number, entry in enumerate(entries, start=1):
        _take(found, number, entry)
    return _read("json", found)


def change(current: Iterable[Pattern], given: Iterable[Pattern], mode: Mode) -> Change:
    """Say what taking in these patterns changes. A pattern is known by its id."""
    before = {each.id: each for each in current}
    said = {each.id: each for each in given}
    common = said.keys() & before.keys()
    if mode == Mode.REMOVE:
        left = [each for key, each in before.items() if key not in said]
        return Change((), _ids(common), (), 0, len(said) - len(common), _sorted(left))
    changed = _ids(key for key in common if said[key] != before[key])
    removed = _ids(before.keys() - said.keys()) if mode == Mode.REPLACE else ()
    after = said if mode == Mode.REPLACE else {**before, **said}
    added = _ids(said.keys() - before.keys())
    return Change(added, removed, changed, len(common) - len(changed), 0, _sorted(after.values()))


def made_id(kind: str, text: str) -> str:
    """Give a pattern without an id one that stays the same from file to file."""
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _read(form: str, found: _Tally) -> ReadPatterns:
    patterns = _sorted(found.patterns.values())
    return ReadPatterns(form, patterns, found.rows, found.blank, found.duplicates, tuple(found.invalid))


def _form(text: str, name: str) -> str:
    start = text.lstrip()[:1]
    if start in {"{", "["} and (name.lower().endswith(".json") or _is_json(text)):
        return "json"
    heading = text.lstrip().splitlines()[0].lower()
    cells = {cell.strip().strip('"') for cell in heading.replace(";", ",").replace("\t", ",").split(",")}
    return "csv" if "text" in cells and cells <= set(FIELDS) else "lines"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _lines(text: str) -> Iterator[tuple[int, Mapping[str, object] | None]]:
    for line, said in enumerate(text.splitlines(), start=1):
        yield line, {"text": said.strip()} if said.strip() else None


def _csv(text: str) -> Iterator[tuple[int, Mapping[str, object] | None]]:
    heading = text.lstrip().splitlines()[0]
    delimiter = max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] = []
    begins = 1
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                yield begins, None
            elif not names:
                names = [cell.strip().lower() for cell in row]
            else:
                yield begins, {name: cell for name, cell in zip(names, row, strict=False) if cell.strip()}
            begins = reader.line_num + 1
    except csv.Error as error:
        message = f"The row on line {begins} cannot be read as CSV: {error}."
        raise InvalidError(message, field="file", code="not_csv") from error


def _json(text: str) -> Iterator[tuple[int, Mapping[str, object] | None]]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidError(f"The file is not JSON: {error}.", field="file", code="not_json") from error
    entries = said.get("patterns") if isinstance(said, dict) else said
    if not isinstance(entries, list):
        message = "A list of patterns is expected, or an object with “patterns”."
        raise InvalidError(message, field="file", code="not_patterns")
    for number, entry in enumerate(entries, start=1):
        yield number, entry if isinstance(entry, dict) else {"text": entry}


_FORMS: Final = {"lines": _lines, "csv": _csv, "json": _json}


def _take(found: _Tally, line: int, entry: Mapping[str, object] | None) -> None:
    if entry is None:
        found.blank += 1
        return
    found.rows += 1
    try:
        pattern = _pattern(entry)
    except policy.PolicyError as error:
        found.invalid.append(Invalid(line, _shown(entry), _plain(str(error))))
        return
    known = found.patterns.get(pattern.id)
    if known == pattern:
        found.duplicates += 1
    elif known is not None:
        found.invalid.append(Invalid(line, _shown(entry), f"the id {pattern.id} stands above already"))
    elif reason := _problem(pattern):
        found.invalid.append(Invalid(line, _shown(entry), reason))
    else:
        found.patterns[pattern.id] = pattern


@lru_cache(maxsize=2 * policy.PATTERNS_MOST)
def _problem(pattern: Pattern) -> str:
    """Ask the engine once: between the preview of a file and its import nothing about it changes."""
    return engine.problem(pattern)


def _pattern(entry: Mapping[str, object]) -> Pattern:
    said = dict(entry)
    weight = said.get("weight")
    if isinstance(weight, str) and weight.strip().isdecimal():
        said["weight"] = int(weight)
    if isinstance(said.get("kind"), str):
        said["kind"] = str(said["kind"]).strip().lower()
    if not said.get("id"):
        said["id"] = made_id(str(said.get("kind", "literal")), str(said.get("text", "")))
    return policy.convert(said, Pattern)


def _plain(message: str) -> str:
    """Say what is wrong with an entry without the words of a parser."""
    if "unknown field" in message:
        return f"has a field that patterns do not have ({message.split('`')[1]})"
    if "missing required field" in message:
        return f"has no {message.split('`')[1]}"
    where = message.rpartition("$.")[2].rstrip("`") if "$." in message else ""
    said = message.partition(" - at")[0].replace("`", "").replace("Expected", "expected", 1)
    return f"{where}: {said}" if where else said


def _shown(entry: Mapping[str, object]) -> str:
    return str(entry.get("text") or entry.get("id") or dict(entry))[:VALUE_SHOWN]


def _ids(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(keys))


def _sorted(patterns: Iterable[Pattern]) -> tuple[Pattern, ...]:
    return tuple(sorted(patterns, key=lambda each: each.id))
