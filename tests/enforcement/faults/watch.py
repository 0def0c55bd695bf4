"""A client that never stops asking: nothing that the last acknowledged policy refuses may ever be served."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any, NamedTuple, Self

PAUSE = 0.01


class Ask(NamedTuple):
    """One request that has to be refused: at which port, by whom, for what."""

    port: int
    who: str
    body: str


class Watch:
    """Asks in a thread of its own from start to end. A connection that fails is no answer, and no breach."""

    def __init__(self) -> None:
        self.let_through: list[tuple[Ask, bytes]] = []
        self.asked = self.refused = 0
        self._refused: set[Ask] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._over.set()
        self._thread.join(30)
        if kind is None:
            self.check()

    def check(self) -> None:
        """See that nothing got through so far, and that there was somebody to see it."""
        assert self.let_through == []
        assert self.refused > 0 or not self._refused

    def must_refuse(self, port: int, who: str, **body: Any) -> None:
        """From now on this has to be refused: to be called when the policy has been acknowledged."""
        self._refused = {*self._refused, Ask(port, who, json.dumps({"model": "aurora-large", **body}))}

    def may_pass(self, port: int, who: str) -> None:
        """This need not be refused any longer: to be called before a policy that lifts it is published."""
        self._refused = {ask for ask in self._refused if (ask.port, ask.who) != (port, who)}

    def _run(self) -> None:
        while not self._over.is_set():
            for ask in self._refused:
                answer = _answer(ask)
                if ask in self._refused:  # and not lifted while it was being asked
                    self._judge(ask, answer)
            time.sleep(PAUSE)

    def _judge(self, ask: Ask, answer: tuple[int, bytes] | None) -> None:
        self.asked += 1
        if answer is None:
            return
        status, raw = answer
        if status < 400:
            self.let_through.append((ask, raw))
        else:
            self.refused += 1


def _answer(ask: Ask) -> tuple[int, bytes] | None:
    headers = {"authorization": f"Bearer sk-demo-{ask.who}", "content-type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", ask.port, timeout=10)
    try:
        connection.request("POST", "/v1/chat/completions", ask.body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
