"""The request that ``explain`` is asked about: from options, from a file, or from the body itself."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import fields
from datetime import datetime
from typing import Any

import msgspec

from enforcement import policy
from enforcement.cli import files
from enforcement.decide import Attributes
from enforcement.reading import features_of, tools_offered, turns_of

_TEXTS = (
    *("user", "organisation", "key", "application", "use_case", "model"),
    *("region", "tier", "platform"),
)
_NUMBERS = ("max_tokens", "body_bytes", "turns", "tool_turns")
_KNOWN = {each.name for each in fields(Attributes)}
_OUTPUT = ("max_completion_tokens", "max_tokens", "max_output_tokens")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    group = parser.add_argument_group("the request", "options count before --body, that before --attributes")
    for name in _TEXTS:
        group.add_argument(f"--{name.replace('_', '-')}", metavar="NAME")
    group.add_argument("--endpoint", choices=list(policy.ENDPOINTS), help="chat.completions unless told")
    group.add_argument("--tool", action="append", dest="tools", metavar="NAME", help="may be repeated")
    group.add_argument("--feature", action="append", dest="features", choices=policy.FEATURES)
    group.add_argument("--stream", action="store_true", default=None)
    for name in _NUMBERS:
        group.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="NUMBER")
    group.add_argument("--body", metavar="FILE", help="the request's JSON body; read as gateways do")
    group.add_argument("--attributes", metavar="FILE", help="attributes as a JSON object")
    parser.add_argument("--at", type=_moment, metavar="TIME", help="RFC 3339, with offset; now unless told")
    parser.add_argument("--all", action="store_true", help="also list corrections that do not match")


def attributes(given: Namespace) -> Attributes:
    """Put the request together.

    :raises InputError: a file is wrong, or the request names no model.
    """
    found: dict[str, Any] = {**dict.fromkeys(_TEXTS, ""), "endpoint": "chat.completions"}
    if given.attributes:
        found |= _of_file(given.attributes)
    if given.body:
        found |= _of_body(given.body)
    options = {name: getattr(given, name, None) for name in _KNOWN}
    found |= {name: value for name, value in options.items() if value is not None}
    found["tools"], found["features"] = tuple(found.get("tools", ())), _features(found)
    if not found["model"]:
        raise files.InputError("name the model: --model NAME, or in --body or --attributes")
    return _checked(found)


def _of_file(path: str) -> dict[str, Any]:
    found = files.parsed(path, dict[str, Any])
    unknown = sorted(found.keys() - _KNOWN)
    if unknown:
        known = ", ".join(sorted(_KNOWN))
        raise files.InputError(f"{path}: no such attribute: {', '.join(unknown)}; there are {known}")
    return found


def _of_body(path: str) -> dict[str, Any]:
    raw = files.raw(path)
    body = files.parsed(path, dict[str, Any]) if path != "-" else policy.parse(raw, dict[str, Any])
    turns = turns_of(body)
    return {
        "model": body.get("model") or "",
        "tools": tools_offered(body),
        "features": features_of(body),
        "stream": body.get("stream") is True,
        "max_tokens": next((body[name] for name in _OUTPUT if body.get(name) is not None), None),
        "body_bytes": len(raw),
        "turns": turns.user,
        "tool_turns": turns.tool,
    }


def _features(found: dict[str, Any]) -> tuple[str, ...]:
    """A stream shows in two attributes."""
    used = {*found.get("features", ()), *(["streaming"] if found.get("stream") else [])}
    return tuple(name for name in policy.FEATURES if name in used)


def _checked(found: dict[str, Any]) -> Attributes:
    try:
        return msgspec.convert(found, type=Attributes)
    except msgspec.ValidationError as error:
        raise files.InputError(f"the request: {error}") from error


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no time, for example 2026-03-01T12:00:00Z") from error
    if moment.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} names no offset, for example Z or +01:00")
    return moment
