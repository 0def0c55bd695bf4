"""Plain data as a Lua expression. Only printable ASCII goes in as it is, so nothing can break out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_UNSAFE = re.compile(rb"[^ !#-\[\]-~]")


def literal(value: object) -> str:
    """Write a value as Lua; members that are ``None`` are left out."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Mapping):
        return _table(value)
    if isinstance(value, Sequence):
        return "{" + ",".join(literal(item) for item in value) + "}"
    raise TypeError(f"no Lua form for {type(value).__name__}")


def _table(value: Mapping[str, object]) -> str:
    members = (f"[{_string(key)}]={literal(item)}" for key, item in value.items() if item is not None)
    return "{" + ",".join(members) + "}"


def _string(value: str) -> str:
    escaped = _UNSAFE.sub(lambda found: b"\\%03d" % found[0][0], value.encode())
    return '"' + escaped.decode("ascii") + '"'
