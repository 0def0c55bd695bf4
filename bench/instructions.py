"""What a request costs the gateway in instructions of Envoy's own code, beside an Envoy that only forwards.

    .venv/bin/python bench/instructions.py [requests]

Counted by callgrind, one request after the other: time on a shared machine is only good to a tenth, this is
good to a hundredth, so that single parts can be left out and compared. The kernel's part is not in it. Needs
`valgrind` (Debian: apt-get install valgrind).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.envoys import BODY, HEADERS, Fleet, Target, fleet
from bench.throughput import targets
from enforcement.envoy import binary

WARM_UP, SETTLING = 100, 10
STARTING_SECONDS = 120


def main() -> None:
    """Count and print a table."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    if shutil.which("valgrind") is None:
        print("skipped: nothing counts instructions; apt-get install valgrind")
        return
    print("| gateway | instructions a request | of plain |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, fleet(Path(folder)) as envoys:
        plain = 0.0
        for target in _ended(envoys):
            found = _counted(target, envoys.folder, requests)
            plain = plain or found
            print(f"| {target.name} | {found:.0f} | {found / plain:.2f} |", flush=True)


def _ended(envoys: Fleet) -> Iterator[Target]:
    """Give each Envoy of the throughput's table when it has ended: its port and its files are left."""
    for target in targets(envoys):
        target.process.kill()
        target.process.wait()
        yield target


def _counted(target: Target, folder: Path, requests: int) -> float:
    """Start an Envoy once more, under callgrind, and count what a request costs it."""
    out = folder / f"callgrind.{target.port}"
    count = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--instr-atstart=no"]
    envoy = [str(binary.find()), *target.arguments]
    with (folder / "callgrind.log").open("wb") as log:
        process = subprocess.Popen([*count, *envoy], stdout=log, stderr=log)  # noqa: S603
    try:
        Target(target.name, target.port, process).wait(seconds=STARTING_SECONDS)
        _ask(target.port, WARM_UP)
        _control(process, "--instr=on")
        _ask(target.port, SETTLING)
        _control(process, "--zero")
        _ask(target.port, requests)
        _control(process, "--dump")
    finally:
        process.kill()
        process.wait()
    totals = re.findall(
        r"^(?:summary|totals): (\d+)", Path(f"{out}.1").read_text(errors="replace"), re.MULTILINE
    )
    return max(map(int, totals)) / requests


def _control(process: subprocess.Popen[bytes], what: str) -> None:
    command = ["callgrind_control", what, str(process.pid)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603


def _ask(port: int, times: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(times):
        connection.request("POST", "/v1/chat/completions", BODY, HEADERS)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"not every request was served: {answer.status}")
    connection.close()


if __name__ == "__main__":
    main()
