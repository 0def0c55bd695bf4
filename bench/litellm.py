"""What the callback costs a LiteLLM proxy, beside Envoy with the same policy: one upstream, one run.

``.venv/bin/python bench/litellm.py [requests] [rounds]``. Does nothing where `make litellm` has not been run.
"""

from __future__ import annotations

import http.client
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.envoys import BODY, KEY, MODEL, SIGNING_KEY, correction, fleet
from enforcement import policy
from tests.enforcement.adapters.proxy import LITELLM, Proxy

if TYPE_CHECKING:
    from collections.abc import Callable

AT_ONCE = 16
CORRECTIONS = (
    correction(1, policy.Block(), users=policy.Users(users=tuple(f"user-{n:04}" for n in range(100)))),
    correction(2, policy.ToolsOff(tools=("shell",))),
    correction(3, policy.ForbidUse(), functionality=policy.Functionality(use_cases=("weapons",))),
    correction(4, policy.RequestLimit(requests=1_000_000, window_seconds=60)),
    correction(5, policy.Suspend(), functionality=policy.Functionality(models=("aurora-old",))),
)
"""One of every class, none of which refuses what is asked: as the gateways' own figures."""


@dataclass
class Door:
    """One way to the model, and what was measured of it."""

    name: str
    port: int
    pid: int
    one: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def used(self) -> float:
        """Give the seconds of CPU that it has used, its children too."""
        process = psutil.Process(self.pid)
        each = [process, *process.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in each)

    def ask(self, connection: http.client.HTTPConnection) -> None:
        """Send one request over a kept connection."""
        headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        connection.request("POST", "/v1/chat/completions", BODY, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status

    def measure(self, requests: int) -> None:
        """Ask one after another, then several at once."""
        times = self._in_turn(requests // 4)
        self.one.append(statistics.median(times) * 1000)
        before, began = self.used(), time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._in_turn, [requests // AT_ONCE] * AT_ONCE))
        asked = requests // AT_ONCE * AT_ONCE
        self.rate.append(asked / (time.monotonic() - began))
        self.cpu.append((self.used() - before) / asked * 1e6)

    def _in_turn(self, requests: int) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        times = []
        for _ in range(requests):
            began = time.perf_counter()
            self.ask(connection)
            times.append(time.perf_counter() - began)
        connection.close()
        return times


def main() -> None:
    """Measure, and print a table."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 320
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    if not LITELLM.exists():
        print("LiteLLM is not installed: make litellm")
        return
    content = policy.Content(corrections=CORRECTIONS)
    with tempfile.TemporaryDirectory() as name, fleet(Path(name)) as envoys:
        folder = Path(name)
        plain, enforcing = envoys.plain("Envoy"), envoys.enforcing("Envoy with the policy", content)
        plain.wait()
        enforcing.wait()
        bare = _proxy(folder / "bare", envoys.upstream, callbacks="[]")
        guarded = _proxy(folder / "guarded", envoys.upstream, content=content)
        try:
            doors = [
                Door("Envoy", plain.port, plain.process.pid),
                Door("Envoy with the policy", enforcing.port, enforcing.process.pid),
                Door("LiteLLM", bare.port, bare.process.pid),
                Door("LiteLLM with our callback", guarded.port, guarded.process.pid),
            ]
            _turns(doors, requests, rounds)
        finally:
            bare.end()
            guarded.end()


def _proxy(folder: Path, upstream: int, *, content: policy.Content | None = None, **more: str) -> Proxy:
    proxy = Proxy(folder, f"http://127.0.0.1:{upstream}", **more)
    public = SIGNING_KEY.public_key().public_bytes_raw()
    proxy.trust("bench", public)
    if content is not None:
        signed = policy.sign(content, version=1, key=SIGNING_KEY, key_id="bench")
        proxy.state.mkdir()
        (proxy.state / "policy.json").write_bytes(policy.encode(signed))
    return proxy.start()


def _turns(doors: list[Door], requests: int, rounds: int) -> None:
    for door in doors:
        door.measure(max(requests // 8, AT_ONCE))  # warm up
        door.one, door.rate, door.cpu = [], [], []
    for _ in range(rounds):
        for door in doors:
            door.measure(requests if door.name.startswith("LiteLLM") else requests * 10)
    print(f"{MODEL}, {len(CORRECTIONS)} corrections, medians of {rounds} rounds in turns\n")
    print(f"| door | p50 ms, one at a time | requests/s, {AT_ONCE} at once | CPU µs per request |")
    print("|---|---|---|---|")
    middle: Callable[[list[float]], float] = statistics.median
    for door in doors:
        print(f"| {door.name} | {middle(door.one):.2f} | {middle(door.rate):.0f} | {middle(door.cpu):.0f} |")


if __name__ == "__main__":
    main()
