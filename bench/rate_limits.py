"""How many questions the rate-limit service answers, and what limits cost at the gateway: all parts real.

``.venv/bin/python bench/rate_limits.py [seconds]``. The client shares the machine, so CPU per question is the
figure to go by.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import grpc.aio
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from enforcement import policy
from enforcement.ratelimit.rules import DOMAIN
from enforcement.ratelimit.server import SERVICE
from enforcement.ratelimit.wire.ratelimit_pb2 import Descriptor, Request, Response
from tests.enforcement.ratelimit.gateways import Gateway, model
from tests.enforcement.ratelimit.parts import Service, Valkey, descriptor
from tests.enforcement.world import correction

KINDS = {
    "requests, 100 per minute": ("requests;100;60;0", {}),
    "requests, 1 000 000 per minute": ("requests;1000000;60;0", {}),
    "tokens, the check before": ("tokens;1000000;60;total", {"hits": 0}),
    "places, held and given back": ("concurrent;1000", {}),
}

PLENTY = 1_000_000
REQUEST, TOKEN, PLACE = (
    correction(1, policy.RequestLimit(requests=PLENTY, window_seconds=60)),
    correction(2, policy.TokenLimit(tokens=PLENTY, window_seconds=60)),
    correction(3, policy.ConcurrencyLimit(requests=PLENTY)),
)
LIMITS = {
    "none": [],
    "requests": [REQUEST],
    "tokens": [TOKEN],
    "at the same time": [PLACE],
    "all three": [REQUEST, TOKEN, PLACE],
}
REQUESTS = 1000


def main() -> None:
    """Measure, and print a table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    with tempfile.TemporaryDirectory() as folder:
        valkey = Valkey(Path(folder))
        service = Service(Path(folder), valkey.url)
        try:
            valkey.start()
            service.start()
            print("| question | at once | per second | p50 ms | p99 ms | CPU µs service | CPU µs Valkey |")
            print("|---|---|---|---|---|---|---|")
            for name in KINDS:
                for at_once in (1, 32):
                    _measure(name, at_once, seconds, service, valkey)
            print("\n| limits that count every request | p50 ms | CPU µs Envoy |\n|---|---|---|")
            with model() as server:
                for name, counted in LIMITS.items():
                    _through(name, counted, Path(folder), service, server.server_port)
        finally:
            service.stop()
            valkey.kill()


def _through(name: str, counted: list[policy.Correction], folder: Path, service: Service, port: int) -> None:
    gateway = Gateway(folder, service.port, port)
    try:
        gateway.start(policy.Content(corrections=counted))
        for turn in range(100):
            gateway.ask(*counted, subject=f"user-{turn}")
        process, times = psutil.Process(gateway.process.pid), []
        before = sum(process.cpu_times()[:2])
        for turn in range(REQUESTS):
            started = time.perf_counter()
            assert gateway.ask(*counted, subject=f"user-{turn % 100}").status == 200
            times.append(time.perf_counter() - started)
        spent = sum(process.cpu_times()[:2]) - before
    finally:
        gateway.kill()
    print(f"| {name} | {1000 * statistics.median(times):.2f} | {1e6 * spent / REQUESTS:.0f} |")


def _measure(name: str, at_once: int, seconds: float, service: Service, valkey: Valkey) -> None:
    processes = [psutil.Process(one.process.pid) for one in (service, valkey)]
    before = [sum(process.cpu_times()[:2]) for process in processes]
    times = asyncio.run(_asking(name, at_once, seconds, service.port))
    spent = [sum(process.cpu_times()[:2]) - was for process, was in zip(processes, before, strict=True)]
    micro = " | ".join(f"{1e6 * one / len(times):.0f}" for one in spent)
    cuts = statistics.quantiles(times, n=100)
    print(
        f"| {name} | {at_once} | {len(times) / seconds:.0f} "
        f"| {1000 * cuts[49]:.2f} | {1000 * cuts[98]:.2f} | {micro} |"
    )


async def _asking(name: str, at_once: int, seconds: float, port: int) -> list[float]:
    times: list[float] = []
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        ask = channel.unary_unary(
            f"/{SERVICE}/ShouldRateLimit",
            request_serializer=Request.SerializeToString,
            response_deserializer=Response.FromString,
        )
        await ask(Request(domain=DOMAIN, descriptors=list(_questions(name, 0, 0))[:1]))
        until = time.perf_counter() + seconds

        async def one(worker: int) -> None:
            turn = 0
            while time.perf_counter() < until:
                for question in _questions(name, worker, turn):
                    started = time.perf_counter()
                    await ask(Request(domain=DOMAIN, descriptors=[question]))
                    times.append(time.perf_counter() - started)
                turn += 1

        await asyncio.gather(*(one(worker) for worker in range(at_once)))
    return times


def _questions(name: str, worker: int, turn: int) -> list[Descriptor]:
    rule, more = KINDS[name]
    subject = f"user-{turn % 100}"
    if rule.startswith("concurrent"):
        lease = f"{worker}-{turn}"
        held = descriptor(rule, subject, limit="COR-0003.1", lease=lease)
        return [held, descriptor(rule, subject, limit="COR-0003.1", lease=lease, back="1")]
    return [descriptor(rule, subject, limit=f"COR-{len(name):04}.1", **more)]


if __name__ == "__main__":
    main()
