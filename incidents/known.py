"""Model names to offer while somebody types; a higher floor that keeps a register of models fills it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_sources: list[Callable[[], Iterable[str]]] = []


def register(names: Callable[[], Iterable[str]]) -> None:
    """Let ``names`` give model names; called from ``AppConfig.ready``."""
    if names not in _sources:
        _sources.append(names)


def model_names() -> list[str]:
    """Everything that is known, in order."""
    return sorted({name for source in _sources for name in source()})
