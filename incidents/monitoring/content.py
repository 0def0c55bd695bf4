"""What a signal may contain, and how two of them are told apart."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from incidents.actions import words
from incidents.models import Severity
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA_BYTES = 16_000
DATA_DEPTH = 8
CLOCK_SKEW = timedelta(minutes=10)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Content:
    """A signal's content, checked."""

    key: str
    title: str
    body: str
    severity: str
    model_name: str
    fingerprint: str
    observed_at: datetime
    data: dict[str, object]
    digest: str


def checked(
    *,
    key: str,
    title: str,
    body: str,
    severity: str,
    model_name: str,
    fingerprint: str,
    observed_at: datetime | None,
    data: dict[str, object],
    now: datetime,
) -> Content:
    """Check everything that was sent; refusals name the field."""
    title = words(title, "title", most=200)
    model_name = words(model_name, "model_name", most=100, required=False)
    given = words(fingerprint, "fingerprint", most=200, required=False)
    content = {
        "title": title,
        "body": words(body, "body", required=False),
        "severity": _severity(severity),
        "model_name": model_name,
        "fingerprint": given or derived_fingerprint(title, model_name),
        "observed_at": _observed_at(observed_at, now),
        "data": _data(data),
    }
    # Over what was sent, not over what was made of it: a time that was left out differs at every attempt.
    digest = _digest(content | {"observed_at": observed_at})
    return Content(key=words(key, "key", most=200), digest=digest, **content)  # type: ignore[arg-type]


def derived_fingerprint(title: str, model_name: str) -> str:
    """Give the same words about the same model one fingerprint; numbers do not count as words."""
    plain = re.sub(r"\d+", "#", " ".join(title.casefold().split()))
    return "derived:" + hashlib.sha256(f"{model_name.casefold()}\n{plain}".encode()).hexdigest()[:40]


def _severity(value: str) -> str:
    if value and value not in Severity.values:
        message = f"“{value[:40]}” is not a severity; use one of {', '.join(Severity.values)}."
        raise InvalidError(message, code="unknown_severity", field="severity")
    return value


def _observed_at(value: datetime | None, now: datetime) -> datetime:
    value = value or now
    if not EARLIEST <= value <= now + CLOCK_SKEW:
        message = "This time is not possible: it lies before 2000 or in the future."
        raise InvalidError(message, code="bad_time", field="observed_at")
    return value


def _data(value: dict[str, object]) -> dict[str, object]:
    for depth, level in enumerate(_levels(value)):
        if depth > DATA_DEPTH:
            raise InvalidError(
                f"This is nested deeper than {DATA_DEPTH} levels.", code="too_deep", field="data"
            )
        if any(isinstance(item, str) and "\x00" in item for item in level):
            raise InvalidError("This contains characters that are not text.", code="not_text", field="data")
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError) as error:  # a lone surrogate too: UnicodeEncodeError is a ValueError
        raise InvalidError("This contains what JSON cannot hold.", code="not_json", field="data") from error
    if size > DATA_BYTES:
        raise InvalidError(f"This is too long: at most {DATA_BYTES} bytes.", code="too_long", field="data")
    return value


def _levels(value: object) -> Iterator[list[object]]:
    """Give what lies on each level, names included; without recursion, which deep nesting would break."""
    level = [value]
    while level:
        yield level
        inner: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inner += [*item, *item.values()]
            elif isinstance(item, list):
                inner += item
        level = inner


def _digest(content: dict[str, object]) -> str:
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
