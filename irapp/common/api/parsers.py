"""What the API reads: JSON, strictly. Whatever two readers could understand differently is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

LARGEST = 1024 * 1024
DEEPEST = 50


class TooLargeError(APIException):
    """More than the API reads at once."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = f"The body may have at most {LARGEST} bytes."


class StrictJSONParser(BaseParser):
    """JSON only: no NaN, no key twice, no NUL, no half characters, not too deep, not too large."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,  # noqa: ARG002 (the signature of parsers)
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        """Give the value, or say what is wrong with it."""
        body = stream.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise TooLargeError
        return load(body)


def load(body: bytes) -> Any:
    """Parse a body.

    :raises rest_framework.exceptions.ParseError: with the reason.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise ParseError(f"The body is not UTF-8: {error.reason} at byte {error.start}.") from error
    except RecursionError as error:
        raise ParseError(f"The body is nested deeper than {DEEPEST} levels.") from error
    except ValueError as error:
        raise ParseError(f"The body is not JSON: {error}.") from error
    _check(value)
    return value


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ParseError(f"The name {name[:80]!r} stands twice in one object.")
        found[name] = value
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ParseError(f"{name} is not a number in JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ParseError(f"{digits[:40]} is larger than a number may be.")
    return number


def _check(value: Any) -> None:
    """Walk without recursion: depth is what is being limited."""
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise ParseError(f"The body is nested deeper than {DEEPEST} levels.")
        below: list[Any] = []
        for one in level:
            if isinstance(one, str):
                _check_text(one)
            elif isinstance(one, dict):
                below += [*one.keys(), *one.values()]
            elif isinstance(one, list):
                below += one
        level, depth = below, depth + 1


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise ParseError("A text contains the character NUL, which cannot be stored.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ParseError("A text contains half of a surrogate pair, which is no character.")
