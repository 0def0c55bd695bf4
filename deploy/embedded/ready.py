"""How a program shows that it is ready."""

from __future__ import annotations

import http.client
from contextlib import closing
from typing import TYPE_CHECKING

from deploy.embedded import ports

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy.embedded.process import Child

SERVER_ERROR = 500
SETTLED = 1.0


def http_answers(port: int, path: str) -> Callable[[Child], bool]:
    """It answers a request, and not with a server error."""

    def ready(_child: Child) -> bool:
        with closing(http.client.HTTPConnection(ports.LOOPBACK, port, timeout=5)) as connection:
            try:
                connection.request("GET", path)
                return connection.getresponse().status < SERVER_ERROR
            except (OSError, http.client.HTTPException):
                return False

    return ready


def listens(port: int) -> Callable[[Child], bool]:
    """It accepts connections."""
    return lambda _child: ports.answers(port)


def says(words: str) -> Callable[[Child], bool]:
    """It wrote these words into its log since it was started."""
    return lambda child: words in child.said()


def stays(child: Child) -> bool:
    """It has no address to ask: it runs for a moment without ending."""
    return child.age > SETTLED
