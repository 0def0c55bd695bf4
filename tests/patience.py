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


def in_time(took: float, seconds: float, *, told: str = "it") -> None:
    """See that something took no longer than was promised; raise :class:`PatienceError` if it did.

    For what only a clock can show. Where the order of things shows it, compare that: it does not depend on
    what else the machine does.
    """
    if took > seconds:
        raise PatienceError(f"{told} took {took:.2f} s, more than {seconds} s")
