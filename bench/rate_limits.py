"""How many questions the rate-limit service answers, and what each costs: with a real Valkey, asked by gRPC.

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

from enforcement.ratelimit.rules import DOMAIN
from enforcement.ratelimit.server import SERVICE
from enforcement.ratelimit.wire.ratelimit_pb2 import Descriptor, Request, Response
from tests.enforcement.ratelimit.parts import Service, Valkey, descriptor

KINDS = {
    "requests, 100 per minute": ("requests;100;60;0", {}),
    "requests, 1 000 000 per minute": ("requests;1000000;60;0", {}),
    "tokens, the check before": ("tokens;1000000;60;total", {"hits": 0}),
    "places, held and given back": ("concurrent;1000", {}),
}


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
        finally:
            service.stop()
            valkey.kill()


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
