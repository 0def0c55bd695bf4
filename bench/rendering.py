"""Time and memory of rendering a policy for Envoy, against its size, and what Envoy makes of it.

    .venv/bin/python bench/rendering.py

For each size, in a process of its own: verify the signed policy as it arrives, render it (with the hash
files of its lists) and move it into place. Then the time until the first request is decided by it, and the
memory of both. The last rows add a small second list beside a list of 100 000, as one more subject does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.envoys import CLIENT, SIGNING_KEY, Attached, Fleet, correction, fleet, free_port
from enforcement import policy
from enforcement.envoy import render

REPEATS = 5
FORBIDDEN = 403


class Case(NamedTuple):
    """One size of a policy."""

    name: str
    corrections: int
    subjects: int
    listed: bool


SIZES = (100, 1000, 10_000, 100_000)
CASES = [
    *(Case(f"{number} corrections", number, 0, listed=False) for number in (10, 100, 1000)),
    *(
        Case(f"{number} subjects by name", 1, number, listed=False)
        for number in (1, 100, 1000, 10_000, 100_000)
    ),
    *(Case(f"{number} subjects by list", 1, number, listed=True) for number in (100, 1000, 10_000, 100_000)),
]


def main() -> None:
    """Measure and print two tables."""
    if len(sys.argv) > 1:
        print(json.dumps(_render(Path(sys.argv[1]))))
        return
    print(f"medians of {REPEATS}; each size rendered in a process of its own, Envoy with one worker")
    print("| policy | verify ms | render ms | files kB | renderer MB | in effect ms | Envoy MB |")
    print("|---|---|---|---|---|---|---|")
    for case in CASES:
        _row(case)
    print()
    for line in _one_more():
        print(line)


def _row(case: Case) -> None:
    content, attached = _content(case)
    raw = policy.encode(policy.sign(content, version=1, key=SIGNING_KEY, key_id="bench"))
    runs = [_rendered(raw, attached) for _ in range(REPEATS)]
    figures = [median(run[name] for run in runs) for name in ("verify", "render", "size", "memory")]
    with tempfile.TemporaryDirectory() as folder, fleet(Path(folder)) as envoys:
        effect, resident = _effect(envoys, case)
    numbers = " | ".join(f"{value:.0f}" for value in (*figures, effect, resident))
    print(f"| {case.name} | {numbers} |", flush=True)


def _rendered(raw: bytes, attached: Attached) -> dict[str, float]:
    """Let a fresh process verify and render what lies in a folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "policy.json").write_bytes(raw)
        (folder / "key").write_bytes(SIGNING_KEY.public_key().public_bytes_raw())
        for address, data in attached.items():
            (folder / address).write_bytes(data)
        command = [sys.executable, __file__, name]
        found = subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603
    return {name: float(value) for name, value in json.loads(found).items()}


def _render(folder: Path) -> dict[str, float]:
    keys = {"bench": Ed25519PublicKey.from_public_bytes((folder / "key").read_bytes())}
    attached = Attached({path.name: path.read_bytes() for path in folder.glob("sha256:*")})
    raw = (folder / "policy.json").read_bytes()
    gateway = Fleet.described("bench", folder / "envoy", free_port(), free_port())
    gateway.folder.mkdir()
    before, start = _peak(), time.perf_counter()
    signed = policy.verify(raw, keys=keys)
    verified = time.perf_counter()
    for file in render.policy_files(gateway, signed, attached):
        (gateway.folder / file.name).write_bytes(file.data)
    done = time.perf_counter()
    written = sum(path.stat().st_size for path in gateway.folder.rglob("*") if path.is_file())
    return {
        "verify": (verified - start) * 1000,
        "render": (done - verified) * 1000,
        "size": written / 1000,
        "memory": _peak() - before,
    }


def _peak() -> float:
    """Give the most memory that this process has held, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _effect(envoys: Fleet, case: Case) -> tuple[float, float]:
    """Give the milliseconds from the last rename to the first refusal, and what Envoy then holds."""
    target = envoys.enforcing("gateway", policy.Content())
    target.wait()
    gateway = envoys.gateways["gateway"]
    content, attached = _content(case, blocking=CLIENT.user)
    envoys.enforce(gateway, content, 2, attached)
    return _until_refused(target) * 1000, target.resident()


def _until_refused(target: Any) -> float:
    start = time.perf_counter()
    while target.ask() != FORBIDDEN:
        time.sleep(0.001)
    return time.perf_counter() - start


def _one_more() -> Iterator[str]:
    """Add a subject by a small list beside a long one: rendering, and until the refusal."""
    rendered, effects = [], []
    with tempfile.TemporaryDirectory() as folder, fleet(Path(folder)) as envoys:
        target = envoys.enforcing("gateway", policy.Content())
        target.wait()
        gateway, attached = envoys.gateways["gateway"], Attached()
        long = attached.add(_names(100_000))
        for version in range(2, 12, 2):
            _put(envoys, gateway, (long,), version, attached)
            target.wait()
            small = attached.add([CLIENT.user, *(f"recent-{version}-{number}" for number in range(50))])
            rendered.append(_put(envoys, gateway, (long, small), version + 1, attached))
            effects.append(_until_refused(target))
    yield (
        f"One more subject beside a list of 100 000: rendered and moved into place in "
        f"{median(rendered) * 1000:.0f} ms, in effect {median(effects) * 1000:.0f} ms later "
        f"(medians of {len(effects)})."
    )


def _put(
    envoys: Fleet, gateway: Any, named: tuple[policy.SubjectList, ...], version: int, attached: Attached
) -> float:
    start = time.perf_counter()
    block = correction(1, policy.Block(), users=policy.Users(lists=named))
    envoys.enforce(gateway, policy.Content(corrections=(block,)), version, attached)
    return time.perf_counter() - start


def _content(case: Case, blocking: str = "") -> tuple[policy.Content, Attached]:
    """Give a policy of that size; ``blocking`` is one of its subjects."""
    attached = Attached()
    corrections = [
        correction(
            number + 2,
            policy.Block(),
            users=policy.Users(users=(f"somebody-{number}",)),
            functionality=policy.Functionality(models=(f"model-{number % 50}",)),
            refusal=policy.Refusal(
                reason="Restricted after an incident.", appeal="https://example.org/appeal"
            ),
        )
        for number in range(case.corrections if not case.subjects else 0)
    ]
    names = sorted({*_names(case.subjects or 1), blocking} - {""})[: policy.LIST_MOST]
    names = names if not blocking or blocking in names else [blocking, *names[1:]]
    users = policy.Users(lists=(attached.add(names),)) if case.listed else policy.Users(users=tuple(names))
    corrections.append(correction(1, policy.Block(), users=users))
    return policy.Content(corrections=tuple(sorted(corrections, key=lambda item: item.id))), attached


def _names(number: int) -> list[str]:
    return [f"customer-{place:06}" for place in range(number)]


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).resolve().parent.parent))
    main()
