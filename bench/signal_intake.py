"""How many signals one web worker stores durably: gunicorn with one process, PostgreSQL that really syncs.

    .venv/bin/python bench/signal_intake.py [signals]

Three loads: every signal about something of its own; 20 things that recur; all about one thing. Besides the
rate, which another load on the machine lowers, it prints the processor time of the worker per signal.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from itertools import count
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from deploy.embedded import ports  # noqa: E402 - after the path
from deploy.embedded.postgres import Postgres, prepared_home  # noqa: E402 - after the path
from deploy.embedded.process import Child, Program  # noqa: E402 - after the path

if TYPE_CHECKING:
    from collections.abc import Iterator

SENDERS = 8
TICKS = os.sysconf("SC_CLK_TCK")
LOADS = {"each of its own": 0, "20 that recur": 20, "all the same": 1}
_numbers = count(1)
_mine = threading.local()


def main() -> None:
    """Measure and print a table."""
    signals = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory(prefix="irapp-bench-") as name, stack(Path(name)) as (port, worker):
        token = new_token()
        print(f"{signals} signals each, {SENDERS} senders, one worker, fsync on")
        print("| what they are about | per second | p50 ms | p99 ms | worker CPU ms each |")
        print("|---|---|---|---|---|")
        for label, things in LOADS.items():
            send_all(port, token, things, 100)
            before, begun = cpu(worker), time.perf_counter()
            times = send_all(port, token, things, signals)
            wall, spent = time.perf_counter() - begun, cpu(worker) - before
            cuts = quantiles(times, n=100)
            row = (f"{signals / wall:.0f}", f"{cuts[49] * 1e3:.0f}", f"{cuts[98] * 1e3:.0f}")
            print(f"| {label} | {' | '.join(row)} | {spent / signals * 1e3:.1f} |")


@contextmanager
def stack(folder: Path) -> Iterator[tuple[int, int]]:
    """Give the port of a web server with a database of its own, and the process id of its worker."""
    folder.chmod(0o755)
    server = Postgres(prepared_home(folder / "postgres"), port=ports.free())
    database = Child(server.program(), log=folder / "postgres.log")
    port = ports.free()
    os.environ |= {"DATABASE_URL": server.url, "SECRET_KEY": "for-the-benchmark-alone", "LOG_LEVEL": "ERROR"}
    os.environ |= {"DJANGO_SETTINGS_MODULE": "irapp.settings", "IRAPP_WEB_BIND": f"127.0.0.1:{port}"}
    command = (sys.executable, "-m", "gunicorn", "irapp.wsgi", "-c", "deploy/gunicorn.conf.py")
    web = Child(
        Program(name="web", command=command, ready=lambda _: ports.answers(port)), log=folder / "web.log"
    )
    try:
        database.bring_up()
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, check=True)
        web.bring_up()
        time.sleep(2)
        yield port, int(Path(f"/proc/{web.pid}/task/{web.pid}/children").read_text().split()[0])
    finally:
        web.stop()
        database.stop()


def new_token() -> str:
    """Give a token that may send."""
    import django  # noqa: PLC0415 - needs the environment of the stack

    django.setup()
    from irapp.accounts.models import ApiToken, RoleGrant, Scope, User  # noqa: PLC0415

    user = User.objects.create(username="sender")
    RoleGrant.objects.create(user=user, role_id="RESPONDER")
    return str(ApiToken.objects.create(user=user, label="bench", scopes=[Scope.SIGNALS_WRITE])[1])


def send_all(port: int, token: str, things: int, signals: int) -> list[float]:
    """Send signals from several connections that are kept; give the time each took."""
    with ThreadPoolExecutor(SENDERS) as pool:
        return list(pool.map(lambda _: send(port, token, things), range(signals)))


def send(port: int, token: str, things: int) -> float:
    """Send one signal and insist that it was stored."""
    if not hasattr(_mine, "connection"):
        _mine.connection = http.client.HTTPConnection("127.0.0.1", port)
    number = next(_numbers)
    body = {
        "source": "report-form",
        "key": f"bench-{number}",
        "title": f"Rate of refusals rises in region {number}",
        "body": "Seen by the monitor of refusals." * 10,
        "fingerprint": f"thing-{number % things if things else number}",
        "severity": "HIGH",
        "model_name": "aurora-large",
        "data": {"rate": number / 7, "region": "eu", "window": "5m"},
    }
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    begun = time.perf_counter()
    _mine.connection.request("POST", "/api/v1/signals/", json.dumps(body), headers)
    answer = _mine.connection.getresponse()
    text = answer.read()
    if answer.status != HTTPStatus.CREATED:
        raise RuntimeError(f"not stored: {answer.status} {text[:300]!r}")
    return time.perf_counter() - begun


def cpu(pid: int) -> float:
    """Give the processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    main()
