"""Being told to end, at a moment when nothing can get lost by it."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack, contextmanager
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
    with ExitStack() as before:  # puts each back, even if the one before it is being raised
        for each in STOPPING:
            before.callback(signal.signal, each, signal.getsignal(each) or signal.SIG_DFL)
            signal.signal(each, lambda number, _frame: came.append(number))
        yield
    for number in came[:1]:
        signal.raise_signal(number)
