"""Wait for what other processes do, and say plainly when it was in vain.

A test whose patience ran out is tried once more (see ``--only-rerun`` in pyproject.toml): on a busy machine
it says nothing yet. One that found a promise broken is not.
"""

import time
from collections.abc import Callable
from typing import Any


class PatienceError(AssertionError):
    """What was waited for did not come about."""


def wait_for(what: Callable[[], Any], seconds: float = 30.0, *, told: str = "it") -> Any:
    """Give the first true answer of ``what``; raise :class:`PatienceError` after so many seconds."""
    until = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > until:
            raise PatienceError(f"waited {seconds} s for {told} in vain")
        time.sleep(0.005)
    return found
