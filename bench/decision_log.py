"""How fast pulled traffic is counted, judged and kept, and how fast a correction's page reads a long log.

    .venv/bin/python bench/decision_log.py [records] [corrections]

A database of its own that really syncs. Half of the records are refused, as in an attack; each page of 5 000
goes through the same function as in the worker. Then the page's questions, at a hundred thousand counts and
at as many kept requests.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from deploy.embedded import ports  # noqa: E402 - after the path
from deploy.embedded.postgres import Postgres, prepared_home  # noqa: E402 - after the path
from deploy.embedded.process import Child  # noqa: E402 - after the path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = 5000
PER_SECOND = 2000


def main() -> None:
    """Measure and print."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    corrections = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    with tempfile.TemporaryDirectory(prefix="irapp-bench-") as name, database(Path(name)):
        import django  # noqa: PLC0415 - needs the database

        django.setup()
        publish(corrections)
        print(
            f"{records} records in pages of {PAGE}, {corrections} corrections, half of the requests refused"
        )
        took, cpu, kept = ingest(records)
        print(f"| counted, judged, kept | {records / took:.0f} records/s | {kept} kept |")
        print(f"| processor time of the worker | {cpu / records * 1e6:.0f} µs per record |")
        for label, milliseconds in reading():
            print(f"| {label} | {milliseconds:.0f} ms |")


@contextmanager
def database(folder: Path) -> Iterator[None]:
    """Start PostgreSQL with the tables of the application."""
    folder.chmod(0o755)
    server = Postgres(prepared_home(folder / "postgres"), port=ports.free())
    child = Child(server.program(), log=folder / "postgres.log")
    os.environ |= {"DATABASE_URL": server.url, "SECRET_KEY": "for-the-benchmark-alone", "LOG_LEVEL": "ERROR"}
    os.environ["DJANGO_SETTINGS_MODULE"] = "irapp.settings"
    try:
        child.bring_up()
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, check=True)
        yield
    finally:
        child.stop()


def publish(corrections: int) -> None:
    """Store a policy that blocks a thousand users by name, and one that asks everybody."""
    from corrections.models import PolicyVersion  # noqa: PLC0415
    from enforcement import policy  # noqa: PLC0415

    blocks = [
        correction(number, policy.Block(), users=(f"blocked-{number}",)) for number in range(corrections)
    ]
    tools = correction(corrections, policy.ToolsOff(tools=("search",)))
    content = policy.Content(corrections=tuple(sorted([*blocks, tools], key=lambda each: each.id)))
    PolicyVersion.objects.create(
        version=1, content=policy.canonical(content), raw=b"", digest=policy.digest(content), key_id="bench"
    )


def correction(number: int, effect: object, *, users: tuple[str, ...] = ()) -> object:
    """Give one correction that is in force."""
    from enforcement import policy  # noqa: PLC0415

    return policy.Correction(
        id=f"COR-{number:05d}.1",
        effect=effect,
        users=policy.Users(users=users),
        approval_digest="sha256:" + "0" * 64,
    )


def ingest(records: int) -> tuple[float, float, int]:
    """Take in all pages; give the seconds, those of the processor, and how many records were kept."""
    from corrections.models import TrafficRecord  # noqa: PLC0415
    from corrections.publishing import traffic  # noqa: PLC0415

    begun = datetime.now(UTC) - timedelta(hours=2)
    pages = [page(start, begun) for start in range(0, records, PAGE)]
    traffic.take_in(page(-PAGE, begun), now=begun)  # the policy is read once
    started, spent = time.perf_counter(), time.process_time()
    for each in pages:
        traffic.take_in(each, now=datetime.now(UTC))
    took = time.perf_counter() - started, time.process_time() - spent
    return *took, TrafficRecord.objects.count()


def page(start: int, begun: datetime) -> list[object]:
    """Make records of a busy time: 500 users of 50 organisations, half of them blocked."""
    from enforcement.report import TrafficRecord  # noqa: PLC0415

    return [
        TrafficRecord(
            at=begun + timedelta(seconds=number / PER_SECOND),
            gateway="gateway-1",
            user=f"blocked-{number % 500}" if number % 2 else f"user-{number % 500}",
            organisation=f"org-{number % 50}",
            key=f"key-{number % 500}",
            application="app",
            use_case="support",
            endpoint="chat.completions",
            model="aurora-large",
            status=403 if number % 2 else 200,
            correction=f"COR-{number % 500:05d}.1" if number % 2 else None,
            policy=1,
            log="bench",
            seq=number + PAGE,
        )
        for number in range(start, start + PAGE)
    ]


def reading() -> Iterator[tuple[str, float]]:
    """Ask what the page of a correction asks, with a hundred thousand counts of it."""
    from django.db import connection  # noqa: PLC0415

    from corrections.models import Correction, Outcome, RefusalCount  # noqa: PLC0415
    from corrections.selectors import decision_log  # noqa: PLC0415

    now = datetime.now(UTC)
    busy = Correction(reference="COR-90000", version=1, approved_at=now - timedelta(hours=30))
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO corrections_refusalcount (correction, minute, organisation, "user", refused, shadow,'
            " warned, flagged) SELECT %s, date_trunc('minute', now()) - make_interval(mins => n / 70),"
            " 'org-' || n %% 50, 'user-' || n %% 500, 1, 0, 0, 0 FROM generate_series(0, 99999) AS n",
            [busy.policy_id],
        )
        cursor.execute("ANALYZE")
    for window in decision_log.WINDOWS:
        rows = RefusalCount.objects.filter(correction=busy.policy_id).count()
        yield f"chart, {window}, {rows} counts", timed(partial(decision_log.series, busy, window, now=now))
    seen = Correction(reference="COR-00001", version=1)
    yield "examples", timed(lambda: decision_log.examples(seen, Outcome.REFUSED))


def timed(ask: Callable[[], object]) -> float:
    """Give the median of several asks in milliseconds."""

    def once() -> float:
        started = time.perf_counter()
        ask()
        return (time.perf_counter() - started) * 1e3

    return median(once() for _ in range(15))


if __name__ == "__main__":
    main()
