r"""JSON inside a text, as the arguments of a tool are: ``\u0062omb`` is a bomb too."""

from __future__ import annotations

import re
from typing import NamedTuple

_ESCAPE = re.compile(
    r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\([^u])", re.DOTALL
)
_HIGH = r"\\u[dD][89abAB][0-9a-fA-F]{2}"
_UNFINISHED = re.compile(rf"(?:{_HIGH})?\\(?:u[0-9a-fA-F]{{0,3}})?$|{_HIGH}$")
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class Unescaped(NamedTuple):
    """The text, where each character and the end stood; what follows ``origins[-1]`` is unfinished."""

    text: str
    origins: list[int]


def unescaped(raw: str, *, final: bool) -> Unescaped:
    """Undo the escapes of JSON strings; an escape that is cut off at the end is left out unless final."""
    parts, origins, at = list[str](), list[int](), 0
    end = len(raw) if final else _finished(raw)
    for escape in _ESCAPE.finditer(raw, 0, end):
        parts += [raw[at : escape.start()], _character(escape)]
        origins += [*range(at, escape.start()), escape.start()]
        at = escape.end()
    return Unescaped("".join([*parts, raw[at:end]]), [*origins, *range(at, end + 1)])


def _finished(raw: str) -> int:
    """Give where an unfinished escape begins; a backslash that is itself escaped begins none."""
    for found in _UNFINISHED.finditer(raw):
        backslashes = len(raw[: found.start()]) - len(raw[: found.start()].rstrip("\\"))
        if backslashes % 2 == 0:
            return found.start()
    return len(raw)


def _character(escape: re.Match[str]) -> str:
    high, low, code, simple = escape.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    return chr(int(code, 16)) if code else _SIMPLE.get(simple, simple)
