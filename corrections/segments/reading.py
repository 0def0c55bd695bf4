"""Reading files of subjects. Every row is accounted for: taken, duplicate, blank, or invalid and why."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from corrections.segments.names import why_no_name
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_BYTES: Final = 20_000_000
MOST_ROWS: Final = 250_000
VALUE_SHOWN: Final = 120
DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab"}
_LOOKED_AT: Final = 20
_HEADINGS: Final = {
    "user": {"user", "users", "user_id", "userid", "username", "account", "account_id", "email"},
    "organisation": {
        *("organisation", "organisations", "organization", "organizations", "org", "org_id"),
        *("organisation_id", "organization_id", "customer", "customer_id", "tenant", "tenant_id"),
    },
    "key": {"key", "keys", "key_id", "api_key", "apikey", "api_key_id", "token"},
}
_GENERAL: Final = {"id", "name", "subject", "subjects", "subject_id", "value"}
_KNOWN: Final = _GENERAL.union(*_HEADINGS.values())
_FORMATS: Final = {
    b"PK\x03\x04": "an Excel file or another archive",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a compressed file",
    b"\xff\xfe": "a text in UTF-16",
    b"\xfe\xff": "a text in UTF-16",
}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How to read a file; what is None is found out.

    :param column: its number, from 0, or its heading.
    """

    delimiter: str | None = None
    header: bool | None = None
    column: int | str | None = None


@dataclass(frozen=True)
class Invalid:
    """A row that names nobody."""

    line: int
    value: str
    reason: str


@dataclass(frozen=True)
class Table:
    """A file as it was understood.

    :ivar columns: headings, or ``Column 1``… where there are none.
    :ivar sample: the first rows, for whoever chooses a column.
    """

    delimiter: str
    header: bool
    columns: tuple[str, ...]
    column: int
    sample: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Read:
    """What a file says.

    :ivar names: each once, in the order of the file.
    :ivar duplicates: rows that name somebody for a second time.
    """

    table: Table
    names: tuple[str, ...]
    rows: int
    blank: int = 0
    duplicates: int = 0
    invalid: tuple[Invalid, ...] = ()


@dataclass
class _Tally:
    names: dict[str, None] = field(default_factory=dict)
    rows: int = 0
    blank: int = 0
    duplicates: int = 0
    invalid: list[Invalid] = field(default_factory=list)


def read(raw: bytes, *, of: str, layout: Layout) -> Read:
    """Read a file of subjects.

    :param of: ``user``, ``organisation`` or ``key``; helps to find the column.
    :raises InvalidError: it is no such file as a whole; ``field`` names what to change.
    """
    text = decoded(raw)
    delimiter = layout.delimiter or _delimiter(text)
    first = _first_rows(text, delimiter)
    header = _has_header(first) if layout.header is None else layout.header
    table = _table(first, delimiter, header=header, of=of, column=layout.column)
    tally = _tally(_rows(text, delimiter), table)
    if not tally.rows:
        raise InvalidError("The file has no rows.", field="file", code="empty_file")
    return Read(table, tuple(tally.names), tally.rows, tally.blank, tally.duplicates, tuple(tally.invalid))


def decoded(raw: bytes) -> str:
    """Give the text of a file.

    :raises InvalidError: too large, empty, not a text, not UTF-8.
    """
    if len(raw) > MOST_BYTES:
        message = f"The file has {len(raw) / 1e6:.1f} MB; at most {MOST_BYTES // 1_000_000} MB are read."
        raise InvalidError(message, field="file", code="too_large")
    for mark, kind in _FORMATS.items():
        if raw.startswith(mark):
            raise InvalidError(f"This is {kind}. Save it as CSV in UTF-8.", field="file", code="not_csv")
    if b"\x00" in raw:
        raise InvalidError("This is not a text file.", field="file", code="not_csv")
    if not raw.strip():
        raise InvalidError("The file is empty.", field="file", code="empty_file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"The file is not UTF-8: line {line} has a byte that no character has. Save it as UTF-8."
        raise InvalidError(message, field="file", code="not_utf8") from error


def _delimiter(text: str) -> str:
    """Give the one that the first lines agree on; where none stands in them, there is one column."""
    lines = [line.strip() for line in text[:100_000].splitlines() if line.strip()][:_LOOKED_AT]
    counts = {mark: [line.count(mark) for line in lines] for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: (sum(map(bool, counts[mark])), -len(set(counts[mark]))))


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Give each row with the number of the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for row in reader:
            yield begins, row
            begins = reader.line_num + 1
    except csv.Error as error:
        raise InvalidError(_why_unreadable(str(error), begins), field="file", code="not_csv") from error


def _why_unreadable(said: str, line: int) -> str:
    if "end of data" in said or "field limit" in said:
        return f"A quote that opens on line {line} is never closed."
    return f"Line {line} cannot be read as CSV: {said}."


def _first_rows(text: str, delimiter: str) -> list[list[str]]:
    first = []
    for _, row in _rows(text, delimiter):
        if _says_something(row):
            first.append([cell.strip() for cell in row])
        if len(first) == _LOOKED_AT:
            break
    return first


def _has_header(first: Sequence[Sequence[str]]) -> bool:
    return bool(first) and any(_word(cell) in _KNOWN for cell in first[0])


def _table(
    first: list[list[str]], delimiter: str, *, header: bool, of: str, column: int | str | None
) -> Table:
    width = len(first[0]) if first else 1
    plain = [f"Column {number + 1}" for number in range(width)]
    headings = [*first[0], *plain[len(first[0]) :]] if header and first else plain
    columns = tuple(cell or plain[number] for number, cell in enumerate(headings))
    sample = tuple(tuple(row) for row in first[int(header) : int(header) + 5])
    return Table(delimiter, header, columns, _column(columns, column, of=of), sample)


def _column(columns: Sequence[str], asked: int | str | None, *, of: str) -> int:
    if isinstance(asked, int) and 0 <= asked < len(columns):
        return asked
    if isinstance(asked, str) and asked in columns:
        return columns.index(asked)
    if asked is not None:
        names = ", ".join(columns[:20])
        message = f"There is no column {asked!r}. There are: {names}."
        raise InvalidError(message, field="column", code="unknown_column")
    for known in (_HEADINGS[of], _GENERAL):
        found = [number for number, name in enumerate(columns) if _word(name) in known]
        if found:
            return found[0]
    return 0


def _word(cell: str) -> str:
    return cell.strip().lower().replace(" ", "_").replace("-", "_")


def _tally(rows: Iterator[tuple[int, list[str]]], table: Table) -> _Tally:
    found, skip = _Tally(), table.header
    for line, row in rows:
        if not _says_something(row):
            found.blank += 1
        elif skip:
            skip = False
        else:
            _take(found, line, row, table)
        if found.rows > MOST_ROWS:
            message = f"The file has more than {MOST_ROWS} rows."
            raise InvalidError(message, field="file", code="too_many_rows")
    return found


def _take(found: _Tally, line: int, row: list[str], table: Table) -> None:
    found.rows += 1
    name = row[table.column].strip() if table.column < len(row) else ""
    if _says_something(row[len(table.columns) :]):
        # Perhaps a name that holds the delimiter: half of it would be somebody else.
        found.invalid.append(Invalid(line, _whole(row), "has more columns than the first row"))
    elif name in found.names:
        found.duplicates += 1
    elif reason := why_no_name(name):
        found.invalid.append(Invalid(line, name[:VALUE_SHOWN] or _whole(row), reason))
    else:
        found.names[name] = None


def _whole(row: list[str]) -> str:
    return " | ".join(row)[:VALUE_SHOWN]


def _says_something(row: list[str]) -> bool:
    return any(cell.strip() for cell in row)


def of_names(names: Sequence[str]) -> Read:
    """Treat names that were typed or sent as a file of one column, line by line."""
    found = _Tally()
    table = Table(",", header=False, columns=("Subjects",), column=0, sample=())
    for line, name in enumerate(names, start=1):
        _take(found, line, [name], table)
    return Read(table, tuple(found.names), found.rows, 0, found.duplicates, tuple(found.invalid))


def reasons(invalid: Sequence[Invalid]) -> list[tuple[str, int]]:
    """Count invalid rows by reason, the most frequent first."""
    return Counter(each.reason for each in invalid).most_common()
