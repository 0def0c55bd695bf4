"""What the gateway costs: requests a second, p99 and CPU per request, beside Envoys that only forward.

    .venv/bin/python bench/throughput.py [rounds] [seconds]

All Envoys (one worker each) stand on the first core, their upstream (an Envoy that answers at once) and the
load generator on the second. They are measured in turns; the ratio of a round is taken against the plain
Envoy of the same round, and the table gives medians over the rounds; CPU per request is the lower quartile,
since other work can only add to it, and its ratio stands in brackets. Two references: an Envoy that only
forwards, and one that also looks up the key and writes an access log, as any gateway has to. The caller is
hit by no correction. Needs `wrk` (Debian: apt-get install wrk).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.envoys import BODY, HEADERS, Attached, Fleet, Target, correction, fleet, pinned
from enforcement import policy

CONNECTIONS = 16
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class Round(NamedTuple):
    """One turn of the load generator at one Envoy."""

    rate: float
    p99: float
    cpu: float


def main() -> None:
    """Measure and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    if shutil.which("wrk") is None:
        print("skipped: no load generator; apt-get install wrk")
        return
    with tempfile.TemporaryDirectory() as folder, fleet(Path(folder)) as envoys:
        script = Path(folder) / "post.lua"
        script.write_text(_script())
        every = list(targets(envoys))
        for target in every:
            target.wait()
            _measure(target, script, 1)
        for _ in range(rounds):
            for target in every:
                target.rounds.append(_measure(target, script, seconds))
        _print(every, rounds, seconds)


def targets(envoys: Fleet) -> Iterator[Target]:
    """Start what is compared, one after the other: those that only forward first."""
    yield envoys.plain("plain")
    yield envoys.plain("plain, key and log", checked=True)
    for number in (0, 100, 1000):
        name = f"identity, {number} corrections"
        yield envoys.enforcing(
            name, policy.Content(corrections=_many(number, _by_identity)), streams="direct"
        )
    for number in (10_000, 100_000):
        attached = Attached()
        listed = attached.add([f"user-{place:06}" for place in range(number)])
        blocked = correction(1, policy.Block(), users=policy.Users(lists=(listed,)))
        content = policy.Content(corrections=(blocked,))
        yield envoys.enforcing(f"identity, {number} blocked", content, attached, streams="direct")
    for number in (0, 100, 1000):
        yield envoys.enforcing(
            f"body, {number} corrections", policy.Content(corrections=_many(number, _by_body))
        )


def _many(
    number: int, make: Callable[[int], tuple[policy.Effect, dict[str, object]]]
) -> tuple[policy.Correction, ...]:
    parts = (make(place) for place in range(number))
    return tuple(correction(place + 1, effect, **more) for place, (effect, more) in enumerate(parts))


def _by_identity(place: int) -> tuple[policy.Effect, dict[str, object]]:
    name = f"somebody-{place}"
    users = [
        policy.Users(users=(name,)),
        policy.Users(organisations=(name,)),
        policy.Users(keys=(name,)),
        policy.Users(regions=(name,), tiers=(name,)),
    ]
    scope = policy.Functionality(use_cases=(name,), endpoints=("chat.completions",))
    if place % 5 == 4:
        return policy.ForbidUse(), {"functionality": scope}
    return policy.Block(), {"users": users[place % 5]}


def _by_body(place: int) -> tuple[policy.Effect, dict[str, object]]:
    name = f"something-{place}"
    kinds: list[tuple[policy.Effect, dict[str, object]]] = [
        (policy.ToolsOff(tools=(name,)), {"users": policy.Users(tiers=(name,))}),
        (policy.Suspend(), {"functionality": policy.Functionality(models=(name,))}),
        (policy.ForbidUse(), {"functionality": policy.Functionality(models=(name,), use_cases=("medical",))}),
        (policy.Block(), {"users": policy.Users(users=(name,))}),
    ]
    if place < 4:  # a few ask about every request
        return policy.ToolsOff(tools=(name,)), {}
    return kinds[place % 4]


def _script() -> str:
    headers = "".join(f"wrk.headers[{name!r}] = {value!r}\n" for name, value in HEADERS.items())
    return f'wrk.method = "POST"\n{headers}wrk.body = [==[{BODY}]==]\n'


def _measure(target: Target, script: Path, seconds: int) -> Round:
    url = f"http://127.0.0.1:{target.port}/v1/chat/completions"
    load = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script), url]
    before = target.cpu()
    text = subprocess.run([*pinned(1), *load], check=True, capture_output=True, text=True).stdout  # noqa: S603
    used = target.cpu() - before
    if "Non-2xx" in text:
        raise RuntimeError(f"{target.name}: not every request was served:\n{text}")
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    done = int(re.search(r"(\d+) requests in", text)[1])  # type: ignore[index]
    if not done:
        raise RuntimeError(f"{target.name}: not one request was answered:\n{text}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])  # type: ignore[index]
    return Round(rate, float(value) * _UNITS[unit], used / done * 1e6)


def _print(targets: list[Target], rounds: int, seconds: int) -> None:
    plain, checked = targets[0].rounds, targets[1].rounds
    print(f"{rounds} rounds of {seconds} s, {CONNECTIONS} connections, {len(BODY)} bytes of body")
    print("| gateway | requests/s | p99 ms | CPU µs/request | of plain | of plain with key and log |")
    print("|---|---|---|---|---|---|")
    for target in targets:
        each: list[Round] = target.rounds
        rate, p99 = median(one.rate for one in each), median(one.p99 for one in each)
        shares = " | ".join(_share(each, reference) for reference in (plain, checked))
        print(f"| {target.name} | {rate:.0f} | {p99:.1f} | {_cpu(each):.0f} | {shares} |")


def _share(each: list[Round], reference: list[Round]) -> str:
    """Give the ratio of rates and, in brackets, of requests per CPU second."""
    rate = median(one.rate / other.rate for one, other in zip(each, reference, strict=True))
    return f"{rate:.2f} ({_cpu(reference) / _cpu(each):.2f})"


def _cpu(each: list[Round]) -> float:
    """Give the CPU of the least disturbed quarter: other work on the machine can only add to it."""
    return sorted(one.cpu for one in each)[len(each) // 4]


if __name__ == "__main__":
    main()
