"""Gentle traffic through the gateway by the demo's clients, so that there is something to estimate from.

About one request a second, ``TRAFFIC_PER_SECOND``. Refusals are part of life and not reported.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

PROMPTS = (
    "What will the weather be in Oslo tomorrow?",
    "How do I cook lentil soup?",
    "Which train should I take to the coast?",
    "My order has not arrived, what can I do?",
    "Why does ice float?",
    "Summarise the incident for the report.",
    "Plan the maintenance of the power station.",
    "When should a patient with a fever see a doctor?",
)
SEARCH = {
    "type": "function",
    "function": {
        "name": "search_timetable",
        "description": "Search for a train in the timetable",
        "parameters": {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]},
    },
}
ENDPOINTS = ("chat/completions",) * 7 + ("responses", "completions", "embeddings")
MODELS = ("aurora-large",) * 3 + ("aurora-small",)
TIMEOUT = 20


def request() -> tuple[str, dict[str, Any]]:
    """Make up a request: the path, and the body."""
    path, prompt = random.choice(ENDPOINTS), random.choice(PROMPTS)  # noqa: S311 - no secret
    asked: dict[str, Any] = {"model": random.choice(MODELS)}  # noqa: S311
    if path == "chat/completions":
        asked["messages"] = [{"role": "user", "content": prompt}]
        asked["stream"] = random.random() < 0.3  # noqa: S311, PLR2004 - about a third streams
        if "train" in prompt:
            asked["tools"] = [SEARCH]
    else:
        asked["prompt" if path == "completions" else "input"] = prompt
    if path in {"chat/completions", "completions"}:
        asked["max_tokens"] = random.choice([32, 64, 256])  # noqa: S311
    return path, asked


def send(gateway: str, key: str) -> None:
    """Send one request and read the whole answer."""
    path, asked = request()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    target = f"{gateway}/v1/{path}"
    message = urllib.request.Request(target, json.dumps(asked).encode(), headers)  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(message, timeout=TIMEOUT) as answer:  # noqa: S310
            answer.read()
    except urllib.error.HTTPError as refusal:
        refusal.close()
    except OSError as error:
        print(f"the gateway does not answer: {error}", file=sys.stderr)


def main() -> None:
    """Send until told to stop."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    gateway = os.environ.get("TRAFFIC_GATEWAY_URL", "http://localhost:8080").rstrip("/")
    file = Path(os.environ.get("TRAFFIC_CLIENTS_FILE", Path(__file__).with_name("clients.json")))
    keys = [client["key"] for client in json.loads(file.read_text())]
    pause = 1 / float(os.environ.get("TRAFFIC_PER_SECOND", "1"))
    while True:
        send(gateway, random.choice(keys))  # noqa: S311
        time.sleep(random.expovariate(1 / pause))


if __name__ == "__main__":
    main()
