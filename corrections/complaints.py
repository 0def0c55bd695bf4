"""Refusals of the policy's schema, in the words of whoever fills in the form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from enforcement import policy
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Sequence

_PATH = re.compile(r" - at `\$\.?([^`]*)`$")
_INDEX = re.compile(r"\[([^\]]*)\]")
_NAMED = re.compile(r"(missing required|contains unknown) field `([^`]+)`")
_OWN = re.compile(r"^([a-z_.]+): (.+)$")
_QUOTED = re.compile(r"`([^`]*)`")
_CHOICE = re.compile(r"^Invalid enum value '([^']*)'$")
_LENGTH = re.compile(r"of length >= 1$")
_PLAIN = {
    "int": "a whole number",
    "str": "a text",
    "array": "a list",
    "object": "an object",
    "null": "nothing",
}
CHOICES: dict[str, Sequence[str]] = {
    "features": policy.FEATURES,
    "endpoints": tuple(policy.ENDPOINTS),
    "per": ("user", "organisation", "key", "all"),
    "metric": ("input", "output", "total"),
    "position": ("prepend", "append", "replace"),
    "where": ("input", "output"),
    "on_failure": ("refuse", "allow"),
    "mode": ("enforce", "shadow"),
    "at_expiry": ("hold", "lift"),
    "running_streams": ("finish", "end"),
}


def complaint(field: str, message: str) -> InvalidError:
    """Turn what the schema says into an error that names the field as the form and the API call it."""
    path = _PATH.search(message)
    parts = [field, _INDEX.sub("", path[1])] if path else [field]
    entry = _INDEX.search(path[1]) if path else None
    message = _PATH.sub("", message)
    if named := _NAMED.search(message):
        parts.append(named[2])
    elif own := _OWN.match(message):
        parts.append(own[1])
    name = _as_called(".".join(part for part in parts if part))
    said = _said(message, name)
    if entry and entry[1].isdecimal():
        said = f"Entry {int(entry[1]) + 1}: {said}"
    return InvalidError(said, field=name, code="bad_terms")


def _said(message: str, name: str) -> str:
    if named := _NAMED.search(message):
        return "This is needed." if named[1].startswith("missing") else "There is no such field."
    if choice := _CHOICE.match(message):
        return _no_choice(choice[1], name.rsplit(".", 1)[-1])
    if "matching regex" in message and name.endswith("attachment"):
        return "An address is sha256: and 64 digits."
    if "matching regex" in message:
        return "A name has no white space, quotes, backslash, semicolon, comma, equals sign or bar."
    if _LENGTH.search(message):
        return "Name at least one." if "array" in message else "This is needed."
    own = _OWN.match(message)
    message = _QUOTED.sub(lambda found: _PLAIN.get(found[1], found[1]), own[2] if own else message)
    return message[:1].upper() + message[1:]


def _no_choice(given: str, name: str) -> str:
    known = CHOICES.get(name)
    return f"There is no “{given}” here." + (f" Known are {', '.join(known)}." if known else "")


def _as_called(path: str) -> str:
    """Name a field of the policy as the terms call it."""
    called = {"effect": "parameters", "refusal.reason": "public_reason", "refusal.appeal": "appeal"}
    if path in called:
        return called[path]
    return path.replace("effect.", "parameters.", 1) if path.startswith("effect.") else path
