"""A whole irapp on one machine: every part started, watched, and stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded import gateway, leftovers, parts, postgres, settings
from deploy.embedded import ports as numbers
from deploy.embedded.errors import StartError
from deploy.embedded.process import ROOT, last_lines
from deploy.embedded.state import State
from deploy.embedded.supervisor import Supervisor
from deploy.embedded.valkey import Valkey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from deploy.embedded.ports import Ports
    from deploy.embedded.process import Child, Program

PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "USER", "LD_LIBRARY_PATH")
"""All that a temporary stack takes from the environment of the tests around it."""
PREPARING_SECONDS = 300
_BESIDE = ("hub", "filter", "model", "ratelimit", "ratelimit_admin", "gateway", "envoy_admin")


def _quiet(_line: str) -> None:
    pass


class Stack:
    """One stack in one state folder. ``with Stack(…) as stack:`` starts it, watches it, and stops it.

    :param environment: the operator's settings; services that it names are used instead of started.
    :param postgres_home: the database's folder, if not the usual one.
    :param lasting: False gives up the durability of the database, for data that are thrown away.
    """

    def __init__(
        self,
        state: Path,
        *,
        ports: Ports,
        environment: Mapping[str, str],
        postgres_home: Path | None = None,
        lasting: bool = True,
        tell: Callable[[str], None] = _quiet,
    ) -> None:
        self.state = State(state)
        self.ports = ports
        self.addresses = settings.Addresses.of(ports)
        self.environment = {name: value for name, value in environment.items() if value}
        self.own_gateway = "ENFORCEMENT_URLS" not in self.environment
        self._postgres_home = postgres_home
        self._lasting = lasting
        self._tell = tell
        self._supervisor = Supervisor(self.state.folder, tell=tell)
        self._watcher = threading.Thread(target=self._supervisor.watch, name="watch", daemon=True)

    def __enter__(self) -> Stack:  # noqa: PYI034 - Self is new in 3.11's typing, and this is never subclassed
        """Start it, and keep an eye on it from a thread."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    @property
    def children(self) -> dict[str, Child]:
        """The programs by name, for example ``stack.children["worker"].pid``."""
        return self._supervisor.children

    def start(self) -> None:
        """Start everything and wait until it answers.

        :raises StartError: something is missing, in the way, or did not come up.
        """
        self.state.prepare()
        self.state.lock()
        if self._end_leftovers():
            self._tell("Ended what an earlier run had left behind.")
        self.environment = settings.compose(self.environment, state=self.state, ports=self.ports)
        self._check_ports()
        self._tell(f"Starting database, broker{' and gateway' if self.own_gateway else ''} …")
        services = list(self._services())  # they say where they are before the others are told
        beside = settings.enforcement(self.environment, state=self.state, ports=self.ports)
        self._supervisor.bring_up(
            [*services, *(parts.enforcement(beside, self.ports) if self.own_gateway else [])]
        )
        self._tell("Preparing the database …")
        self._prepare_application()
        self._tell("Starting web and workers …")
        folder = self.state.folder
        self._supervisor.bring_up(parts.application(self.environment, self.ports, state=folder))
        if self.own_gateway:
            self._open_gateway(beside)

    def watch(self) -> None:
        """Start again what ends, until interrupted."""
        self._supervisor.watch()

    def stop(self) -> None:
        """Stop everything in order, and leave nothing running."""
        if not self.state.locked:
            return  # somebody else's stack
        self._supervisor.over.set()
        if self._watcher.ident is not None:
            self._watcher.join()
        self._supervisor.stop()
        leftovers.end_all(self.state.folder)
        self.state.unlock()

    def manage(self, *arguments: str) -> str:
        """Run a management command in the stack's environment; give what it printed.

        :raises StartError: it failed.
        """
        result = self._python("manage.py", *arguments)
        if result.returncode:
            raise StartError(f"manage.py {arguments[0]} failed:\n{result.stdout}{result.stderr}")
        return result.stdout

    def _end_leftovers(self) -> int:
        leftovers.end_postgres(self._database_home() / "data")
        return leftovers.end_all(self.state.folder)

    def _database_home(self) -> Path:
        return self._postgres_home or postgres.home_for(self.state.folder)

    def _check_ports(self) -> None:
        names = ["web", "live", *(_BESIDE if self.own_gateway else ())]
        if self.ports.postgres and "DATABASE_URL" not in self.environment:
            names.append("postgres")
        numbers.check(self.ports, names)

    def _services(self) -> Iterator[Program]:
        """Give the database and the broker, unless the operator has them elsewhere."""
        if "DATABASE_URL" not in self.environment:
            kept = postgres.DURABLE if self._lasting else postgres.FAST
            server = postgres.Postgres(self._database_home(), port=self._database_port(), settings=kept)
            self.environment["DATABASE_URL"] = server.url
            yield server.program()
        if not {"CELERY_BROKER_URL", "REDIS_URL"} & set(self.environment):
            valkey = Valkey(self.state.folder / "valkey")
            self.environment["CELERY_BROKER_URL"] = valkey.url
            yield valkey.program(dict(self.environment))

    def _database_port(self) -> int:
        """Give the chosen port, else the one of the last time, else a free one."""
        kept = int(self.state.recall("postgres-port") or 0)
        port = self.ports.postgres or (kept if kept and numbers.is_free(kept) else numbers.free())
        self.state.remember("postgres-port", str(port))
        return port

    def _prepare_application(self) -> None:
        result = self._python("-m", "deploy.embedded.preparing")
        log = self.state.logs / "prepare.log"
        log.write_text(result.stdout + result.stderr)
        if result.returncode:
            raise StartError(f"the database could not be prepared; {last_lines(log)}")

    def _open_gateway(self, environment: Mapping[str, str]) -> None:
        """Wait until the first policy has reached the gateway, then let traffic through."""
        if not gateway.opens(self.ports.gateway):
            self._tell(f"The gateway is still closed: no policy has reached it. See {self.state.logs}")
        if settings.is_on(environment, "DEMO") and settings.is_on(environment, "IRAPP_TRAFFIC"):
            self._supervisor.bring_up([parts.traffic(environment)])

    def _python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - a command of our own
            [sys.executable, *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=PREPARING_SECONDS,
        )


@contextmanager
def temporary(**environment: str) -> Iterator[Stack]:
    """Give a running stack on free ports that leaves nothing behind. For tests and measurements.

    :param environment: settings that differ, for example ``IRAPP_TRAFFIC="off"``.
    """
    leftovers.sweep_temporary()
    with tempfile.TemporaryDirectory(prefix=leftovers.TEMPORARY) as name:
        folder = Path(name).resolve()
        leftovers.sign_temporary(folder)
        state = State(folder)
        state.sign()
        passed = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
        with Stack(
            folder,
            ports=numbers.all_free(),
            environment={**passed, **environment},
            postgres_home=postgres.prepared_home(folder / "postgres"),
            lasting=False,
        ) as stack:
            yield stack
