"""How each API puts an answer on the wire, whole and as a stream of events.

Each module has ``Asked`` (what it parses), ``questions(asked)`` (what to answer), ``whole(asked, answers)``
(the body) and ``events(asked, answers)`` (what is streamed: an optional event name, and data).
"""

from __future__ import annotations

import secrets
import time
from typing import Any, TypeAlias

FINGERPRINT = "irapp-demo"
DONE = "[DONE]"
Event: TypeAlias = tuple[str, dict[str, Any] | str]


def new_id(prefix: str) -> str:
    """Give an id as the APIs make them."""
    return f"{prefix}{secrets.token_hex(12)}"


def now() -> int:
    """Give the time as the APIs count it."""
    return int(time.time())


def stops(stop: str | list[str] | None) -> list[str]:
    """Bring the two spellings of stop sequences together."""
    return [stop] if isinstance(stop, str) else stop or []
