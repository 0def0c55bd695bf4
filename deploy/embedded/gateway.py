"""Asking the demo's gateway, as a client would."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import closing

from deploy.embedded import ports
from deploy.embedded.settings import DEMO

WITHIN = 60.0
CLOSED = "gateway_closed"
QUESTION = {"model": "aurora-large", "messages": [{"role": "user", "content": "What will the weather be?"}]}


def key() -> str:
    """Give the first demo client's key."""
    clients = json.loads((DEMO / "clients.json").read_text())
    return str(clients[0]["key"])


def opens(port: int) -> bool:
    """Wait until the gateway decides by a policy: it answers, or refuses for a reason."""
    until = time.monotonic() + WITHIN
    while _is_closed(port):
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def _is_closed(port: int) -> bool:
    headers = {"authorization": f"Bearer {key()}", "content-type": "application/json"}
    with closing(http.client.HTTPConnection(ports.LOOPBACK, port, timeout=10)) as connection:
        try:
            connection.request("POST", "/v1/chat/completions", json.dumps(QUESTION), headers)
            return CLOSED in connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return True
