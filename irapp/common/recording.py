"""How the floor of people writes events, although events stand one floor higher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_recorder: Callable[..., Any] | None = None


def use(recorder: Callable[..., Any]) -> None:
    """Name the function that writes events; the floor of events does, when Django is ready."""
    global _recorder  # noqa: PLW0603 (filled once, at the start)
    _recorder = recorder


def record(verb: str, target: object, *, by: object, **data: object) -> None:
    """Write an event as :func:`irapp.audit.record.record` does."""
    if _recorder is None:
        raise RuntimeError("nothing records events; is irapp.audit installed?")
    _recorder(verb, target, by=by, **data)
