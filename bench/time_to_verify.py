"""From a policy at the hub to its proof at every gateway, by number of gateways and of subjects.

    .venv/bin/python bench/time_to_verify.py [updates]

Counted from the first byte of the policy (and of the lists that it names) on its way to the hub, until the
hub has every gateway's report that it runs exactly this policy and that its probes came out right.

* Envoys: a real hub process and one real agent process with its own Envoy per gateway, probes included.
* agents: a real hub process; all agents in two processes of their own, each with the real code for the
  long poll, verification, lists, disk (fsync), rendering, report. They have no Envoy: nothing is probed.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.agents import Agents
from enforcement import policy
from tests.enforcement.faults.fleet import CONTROL, Fleet
from tests.enforcement.world import correction, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

INLINE = 1_000
"""Up to so many subjects stand in the policy itself."""
SIZES = (1, 100, 10_000, 100_000)
PATIENCE = 300.0
IDLE = 3.0
_numbers = count(1)


class Decision(NamedTuple):
    """The bytes of a policy, and those of the lists that it names by address."""

    version: int
    raw: bytes
    lists: dict[str, bytes]


class Application:
    """What the application does: brings lists and policies to the hub, and reads back."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self.version = 0
        self._used = 0.0

    def decide(self, *lists: bytes, users: tuple[str, ...] = ()) -> Decision:
        """Sign the next version: a block of these users and lists."""
        self.version += 1
        by_address = {policy.address(raw): raw for raw in lists}
        attached = tuple(
            policy.SubjectList(of="user", attachment=address, count=raw.count(b"\n"))
            for address, raw in by_address.items()
        )
        block = correction(1, policy.Block(), users=policy.Users(users=users, lists=attached))
        block = policy.Correction(
            id=f"COR-0001.{self.version}",
            effect=block.effect,
            users=block.users,
            approval_digest=block.approval_digest,
        )
        return Decision(self.version, signed(self.version, block), by_address)

    def bring(self, decision: Decision) -> None:
        """Hand everything over; lists that the hub has already are not sent."""
        for address, raw in decision.lists.items():
            path = f"/v1/attachments/{address}"
            if self._ask("HEAD", path)[0] != 200:
                assert self._ask("PUT", path, raw)[0] == 204
        status, said = self._ask("PUT", "/v1/policy", decision.raw)
        assert status == 200, said

    def wait(self, version: int, gateways: int) -> None:
        """Follow the hub's status until all gateways have shown that version."""
        etag, until = "", time.monotonic() + PATIENCE
        while time.monotonic() < until:
            status, raw = self._ask("GET", "/v1/status?wait=5", headers={"if-none-match": etag})
            etag = self.etag if status == 200 else etag
            found = json.loads(raw)["gateways"] if status == 200 else {}
            if sum(_shows(report, version) for report in found.values()) == gateways:
                return
        raise TimeoutError(f"version {version}")

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        sent = {"authorization": f"Bearer {CONTROL}", **(headers or {})}
        if time.monotonic() - self._used > IDLE:
            self._connection.close()  # the hub has closed it, too
        self._connection.request(method, path, body, sent)
        answer = self._connection.getresponse()
        self._used = time.monotonic()
        self.etag = answer.headers.get("etag", "")
        return answer.status, answer.read()


def _shows(report: dict, version: int) -> bool:
    known = report["policy"] or {}
    return known.get("version") == version and all(one["verified"] for one in report["corrections"].values())


def decisions(application: Application, subjects: int) -> Iterator[Decision]:
    """Give decisions about so many subjects, each about others than the one before."""
    while True:
        turn = next(_numbers)
        names = [f"subject-{turn}-{number:06}" for number in range(subjects)]
        if subjects <= INLINE:
            yield application.decide(users=tuple(names))
        else:
            yield application.decide(policy.subject_list(names))


def one_more(application: Application, subjects: int) -> Iterator[Decision]:
    """Give decisions that each add one subject to a large list, by a small one beside it."""
    base = policy.subject_list(f"base-{number:06}" for number in range(subjects))
    for size in count(1):
        yield application.decide(base, policy.subject_list(f"recent-{number}" for number in range(size)))


@contextmanager
def envoys(number: int) -> Iterator[tuple[Application, int]]:
    """Start gateways with real Envoys."""
    with tempfile.TemporaryDirectory() as name, Fleet(Path(name), gateways=number, wired=False) as fleet:
        yield Application(fleet.hubs[0].port), number


@contextmanager
def agents(number: int) -> Iterator[tuple[Application, int]]:
    """Start agents without Envoys."""
    with tempfile.TemporaryDirectory() as name, Agents(Path(name), number) as fleet:
        yield Application(fleet.hub.port), number


def measured(application: Application, gateways: int, what: Iterator[Decision], times: int) -> list[float]:
    """Time decisions, in milliseconds; the first one warms up."""
    found = []
    for number in range(times + 1):
        decision = next(what)
        began = time.monotonic()
        application.bring(decision)
        application.wait(decision.version, gateways)
        if number:
            found.append((time.monotonic() - began) * 1000)
        time.sleep(0.05)
    return found


def row(name: str, times: list[float]) -> str:
    """Give a line of the table."""
    cuts = quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
    return f"| {name} | {len(times)} | {cuts[49]:.0f} | {cuts[98]:.0f} | {max(times):.0f} |"


def main() -> None:
    """Measure and print a table."""
    updates = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print("| gateways and subjects | updates | p50 ms | p99 ms | most |\n|---|---|---|---|---|", flush=True)
    for title, start, number in SETUPS:
        with start(number) as (application, gateways):
            for size in SIZES:
                times = updates // max(1, number * size // 1_000)
                if number * size > MOST:
                    continue
                found = measured(application, gateways, decisions(application, size), max(2, times))
                print(row(f"{title}, {size:,} subjects", found), flush=True)
            if number * SIZES[-1] <= MOST:
                found = measured(application, gateways, one_more(application, SIZES[-1]), min(updates, 20))
                print(row(f"{title}, one more at {SIZES[-1]:,}", found), flush=True)


SETUPS = (
    ("1 Envoy", envoys, 1),
    ("10 Envoys", envoys, 10),
    ("100 agents", agents, 100),
    ("500 agents", agents, 500),
)
MOST = 10_000_000
"""Names on all gateways together: beyond, the figure is only that of reading so many on one machine."""


if __name__ == "__main__":
    main()
