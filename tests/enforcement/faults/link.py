"""A wire between two processes that can be cut, and that can garble what it carries."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from tests.enforcement.world import free_port

Garble = Callable[[bytes], bytes]


class Link:
    """Listens on a port of its own and carries everything to another."""

    def __init__(self, target: int) -> None:
        self.port, self._target = free_port(), target
        self._open: set[socket.socket] = set()
        self._listening: socket.socket | None = None
        self._lock = threading.Lock()
        self.garble: Garble = bytes
        """What becomes of the answers. Takes effect on every connection at once."""

    def __enter__(self) -> Self:
        self.mend()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def mend(self) -> None:
        """Carry again."""
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=50)
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def cut(self) -> None:
        """Carry nothing, and break off what is being carried."""
        with self._lock:
            sockets = [*self._open, *([self._listening] if self._listening else [])]
            self._open.clear()
            self._listening = None
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = listening.accept()
                far = socket.create_connection(("127.0.0.1", self._target), timeout=60)
            except OSError:
                if self._listening is not listening:
                    return
                near.close()  # the other end is away: whoever called finds nobody there
                continue
            with self._lock:
                cut = self._listening is not listening  # while the other end was being called
                self._open |= set() if cut else {near, far}
            if cut:
                near.close()
                far.close()
                return
            threading.Thread(target=self._carry, args=(near, far, bytes), daemon=True).start()
            threading.Thread(target=self._carry, args=(far, near, self._answer), daemon=True).start()

    def _answer(self, data: bytes) -> bytes:
        return self.garble(data)

    def _carry(self, source: socket.socket, sink: socket.socket, change: Garble) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 20):
                sent = change(data)
                sink.sendall(sent)
                if len(sent) < len(data):
                    break
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
            self._open.discard(each)
