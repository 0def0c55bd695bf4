"""How a page asks a rule: the reason of its refusal, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from irapp.common.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Callable


def why_not(rule: Callable[..., None], *args: object, **kwargs: object) -> str:
    """Give the reason that a rule would raise, or an empty text where it would pass."""
    try:
        rule(*args, **kwargs)
    except DomainError as error:
        return str(error)
    return ""
