"""From the commit of the last approval to the first refused request, on a whole stack of real processes.

    .venv/bin/python bench/time_to_enforce.py [decisions]

Each decision blocks one API key at one gateway and is lifted again. While it is made, one client asks the
gateway without pause and one watcher follows the hub. No other load. Phases, each counted from the commit:

* hub: the enforcement service has stored the policy (its own file on disk)
* agent: the agent beside the gateway has stored and rendered it (the file that Envoy watches)
* refused: the client got its first 403
* verified: the gateway's report with its probes has reached the hub
* active: the correction is ``ACTIVE`` in the application
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
import time
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from deploy.embedded.stack import temporary

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy.embedded.stack import Stack

KEY, KEY_ID = "sk-demo-alice", "key-alice"
BODY = json.dumps({"model": "aurora-small", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1})
PATIENCE = 20.0
PHASES = ("hub", "agent", "refused", "verified", "active")


def main() -> None:
    """Measure and print a table."""
    decisions = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with temporary(IRAPP_TRAFFIC="off") as stack:
        os.environ.update(stack.environment, DJANGO_SETTINGS_MODULE="irapp.settings")
        import django  # noqa: PLC0415 - needs the environment of the stack

        django.setup()
        runs = [run for run in (measured(stack, number) for number in range(decisions + 3)) if run][3:]
    print(f"{len(runs)} decisions, one gateway, no other load; milliseconds from the commit of the last vote")
    print("| phase | p50 | p99 | most |\n|---|---|---|---|")
    for phase in PHASES:
        times = sorted(run[phase] * 1000 for run in runs)
        cuts = quantiles(times, n=100, method="inclusive")
        print(f"| {phase} | {cuts[49]:.0f} | {cuts[98]:.0f} | {times[-1]:.0f} |")


def measured(stack: Stack, number: int) -> dict[str, float]:
    """Make one decision, time it, and take it back."""
    from bench.deciding import block, lift, state  # noqa: PLC0415 - models need the settings

    client = Client(stack.ports.gateway)
    wait_until(lambda: client.status() == http.client.OK)
    correction, decide = block(KEY_ID, number)
    seen: dict[str, float] = {}
    refused = threading.Thread(target=lambda: seen.update(refused=client.first(http.client.FORBIDDEN)))
    watcher = threading.Thread(target=watch, args=(stack, correction, seen))
    refused.start()
    committed, version = decide()
    seen["version"] = version
    watcher.start()
    refused.join()
    watcher.join()
    wait_until(lambda: state(correction) == "ACTIVE")
    seen["active"] = active_at(correction)
    lift(correction)
    wait_until(lambda: state(correction) == "LIFTED")
    client.close()
    return {phase: seen[phase] - committed for phase in PHASES}


def active_at(correction: int) -> float:
    """Give when the application wrote the correction down as in force."""
    from corrections.models import Correction  # noqa: PLC0415

    at = Correction.objects.get(pk=correction).active_at
    assert at is not None
    return at.timestamp()


def watch(stack: Stack, correction: int, seen: dict[str, float]) -> None:
    """Note when the policy was stored by the hub and the agent, and when the gateway showed its probes."""
    from corrections.models import Correction  # noqa: PLC0415

    name = Correction.objects.select_related("package").get(pk=correction).policy_id
    folder = stack.state.folder
    wait_until(lambda: verified(stack, name), pause=0.002)
    seen["verified"] = time.time()
    seen["hub"] = newest(folder / "hub")
    seen["agent"] = newest(folder / "agent", "corrections.json")


def newest(folder: Path, name: str = "policy*") -> float:
    """Give when the policy's file was last written."""
    return max(path.stat().st_mtime for path in folder.rglob(name) if path.is_file())


def verified(stack: Stack, name: str) -> bool:
    """Ask the hub whether every gateway has shown the correction in force."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.ports.hub, timeout=5)
    token = Path(stack.environment["ENFORCEMENT_TOKEN_FILE"]).read_text().strip()
    connection.request("GET", "/v1/status", headers={"Authorization": f"Bearer {token}"})
    gateways: dict[str, Any] = json.loads(connection.getresponse().read())["gateways"]
    connection.close()
    shown = [gateway["corrections"].get(name, {}).get("verified") for gateway in gateways.values()]
    return bool(shown) and all(shown)


class Client:
    """One caller with one kept connection."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def status(self) -> int:
        """Ask once."""
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        self.connection.request("POST", "/v1/chat/completions", BODY, headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status

    def first(self, wanted: int) -> float:
        """Ask without pause until the answer is the wanted one; give when it was asked for."""
        until = time.time() + PATIENCE
        while time.time() < until:
            if self.status() == wanted:
                return time.time()
            time.sleep(0.002)
        raise TimeoutError(f"no {wanted} within {PATIENCE} s")

    def close(self) -> None:
        """Hang up."""
        self.connection.close()


def wait_until(true: Callable[[], bool], *, pause: float = 0.02) -> None:
    """Wait, but not for ever."""
    until = time.time() + PATIENCE
    while not true():
        if time.time() > until:
            raise TimeoutError
        time.sleep(pause)


if __name__ == "__main__":
    main()
