"""What the content filter costs a stream: CPU per chunk and time to the first token, beside Envoy alone.

    .venv/bin/python bench/content_filter.py [rounds]

One gateway, four models of the same streaming server: one whose streams go straight through Envoy, one whose
streams pass the filter untouched (so that they can be halted), and two under output filters of 1 000 and of
10 000 terms. In every round each gets 16 streams of 200 words at once, a word every 5 ms, and then 40 single
requests whose first chunk is timed. CPU is that of Envoy and filter together, from /proc.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.envoys import CLIENT, HEADERS, SIGNING_KEY, free_port
from enforcement import policy
from enforcement.agent import files
from enforcement.envoy import binary, render
from enforcement.envoy.gateway import Gateway, Model

STREAMS, WORDS, PAUSE_MS, SINGLES = 16, 200, 5, 40
KINDS = {"direct": None, "filter": 0, "thousand": 1000, "tenthousand": 10_000}
NAMES = {
    "direct": "Envoy alone",
    "filter": "through the filter, no patterns",
    "thousand": "… 1 000 patterns",
    "tenthousand": "… 10 000 patterns",
}


@dataclass
class Measured:
    """The rounds of one way."""

    cpu: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)


class Stand:
    """The gateway, the filter and the model, each a process."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self.port, upstream, filter_port = free_port(), free_port(), free_port()
        address = f"127.0.0.1:{upstream}"
        models = {
            name: Model(upstream=address, streams="direct" if patterns is None else "filter")
            for name, patterns in KINDS.items()
        }
        gateway = Gateway(
            name="bench",
            host="127.0.0.1",
            port=self.port,
            admin_port=free_port(),
            filter_address=f"127.0.0.1:{filter_port}",
            folder=folder,
            models=models,
            clients=(CLIENT,),
            probe_key="probe-key-of-the-measurement",
            secret="secret-of-the-measurement",  # noqa: S106 - for as long as it takes
        )
        self._write(gateway, address)
        self._run([sys.executable, "-m", "bench.streaming_model", str(upstream)])
        self.filter = self._run(
            [sys.executable, "-m", "enforcement.filter"],
            FILTER_PORT=str(filter_port),
            FILTER_POLICY_FILE=str(folder / "policy.json"),
            FILTER_MODELS_FILE=str(folder / "models.json"),
        )
        options = ["--concurrency", "1", "--disable-hot-restart", "-l", "error"]
        self.envoy = self._run([str(binary.find()), "-c", str(folder / render.BOOTSTRAP), *options])

    def _write(self, gateway: Gateway, address: str) -> None:
        (self.folder / "attachments").mkdir()
        effects = [(name, self._effect(patterns)) for name, patterns in KINDS.items() if patterns]
        content = policy.Content(
            corrections=tuple(
                policy.Correction(
                    id=f"COR-{number}.1",
                    effect=effect,
                    functionality=policy.Functionality(models=(name,)),
                    approval_digest="sha256:" + "0" * 64,
                )
                for number, (name, effect) in enumerate(effects, 1)
            )
        )
        signed = policy.sign(content, version=1, key=SIGNING_KEY, key_id="bench")
        written = {"filter.secret": gateway.secret.encode(), "policy.json": policy.encode(signed)}
        written["models.json"] = json.dumps({name: {"upstream": address} for name in KINDS}).encode()
        written |= render.static_files(gateway)
        written |= {file.name: file.data for file in render.policy_files(gateway, signed)}
        for name, data in written.items():
            files.write(self.folder / name, data)

    def _effect(self, count: int) -> policy.OutputFilter:
        chance = random.Random(count)  # noqa: S311 - the same every time
        words = ["river", "town", "fox", "story", "dog", "brown", "mercury", "agent", "powder", "valve"]
        texts = {f"{' '.join(chance.sample(words, 3))} {number}" for number in range(count)}
        patterns = (policy.Pattern(id=f"{n:05}", text=text) for n, text in enumerate(sorted(texts)))
        raw = policy.canonical(policy.PatternSet(name="bench", version=1, patterns=tuple(patterns)))
        files.write(self.folder / "attachments" / policy.address(raw).removeprefix("sha256:"), raw)
        ref = policy.PatternsRef(attachment=policy.address(raw), name="bench", version=1)
        return policy.OutputFilter(patterns=ref)

    def _run(self, command: list[str], **environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, env={"PATH": os.environ["PATH"], **environment})  # noqa: S603
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process

    def cpu(self) -> float:
        """Give the microseconds of CPU that Envoy and filter have used."""
        tasks = [
            task
            for process in (self.envoy, self.filter)
            for task in Path(f"/proc/{process.pid}/task").iterdir()
        ]
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1000

    def ready(self) -> None:
        """Wait until every model streams."""
        until = time.monotonic() + 60
        for name in KINDS:
            while not self._streams(name):
                if time.monotonic() > until:
                    raise TimeoutError(name)
                time.sleep(0.05)

    def _streams(self, name: str) -> bool:
        try:
            return read(self.port, name, 1) > 0
        except (OSError, HTTPException):
            return False


def read(port: int, model: str, words: int) -> float:
    """Read one stream; give the milliseconds to its first chunk, or 0 if there was none."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    body = {
        "model": model,
        "stream": True,
        "max_tokens": words,
        "metadata": {"pause_ms": PAUSE_MS},
        "messages": [{"role": "user", "content": "Tell me a story."}],
    }
    began = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", json.dumps(body), HEADERS)
    response = connection.getresponse()
    first = response.read1()
    took = (time.perf_counter() - began) * 1000
    while response.read1():
        pass
    connection.close()
    return took if first.startswith(b"data: ") else 0


def measure(stand: Stand, model: str, found: Measured) -> None:
    """Take one round of one way."""
    before = stand.cpu()
    with ThreadPoolExecutor(STREAMS) as readers:
        list(readers.map(lambda _: read(stand.port, model, WORDS), range(STREAMS)))
    found.cpu.append((stand.cpu() - before) / (STREAMS * WORDS))
    found.first += [read(stand.port, model, 1) for _ in range(SINGLES)]


def main() -> None:
    """Measure and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    found = {name: Measured() for name in KINDS}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        stand = Stand(Path(folder), stack)
        stand.ready()
        for _ in range(rounds):
            for name in KINDS:
                measure(stand, name, found[name])
    print("| way | CPU µs per chunk | ratio | first token ms p50 | p99 | added p50 |")
    print("|---|---|---|---|---|---|")
    plain = found["direct"]
    for name, each in found.items():
        ratio = median(one / other for one, other in zip(each.cpu, plain.cpu, strict=True))
        p50, p99 = median(each.first), quantiles(each.first, n=100)[98]
        added = p50 - median(plain.first)
        print(
            f"| {NAMES[name]} | {median(each.cpu):.0f} | {ratio:.2f} | {p50:.2f} | {p99:.1f} | {added:.2f} |"
        )


if __name__ == "__main__":
    main()
