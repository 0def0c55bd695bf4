"""Being told to end, at a moment when nothing can get lost by it."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def postponed() -> Iterator[None]:
    """Let a Ctrl-C wait until this is over: a process begun and not yet noted would be nobody's to end."""
    if threading.current_thread() is not threading.main_thread():  # signals come to the main thread only
        yield
        return
    came: list[int] = []
    before = {each: signal.getsignal(each) or signal.SIG_DFL for each in STOPPING}
    try:
        for each in STOPPING:
            signal.signal(each, lambda number, _frame: came.append(number))
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        for number in came[:1]:
            signal.raise_signal(number)
