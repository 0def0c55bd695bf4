"""PostgreSQL for the embedded default and for tests: binaries from a wheel, supervised by us.

Passwords by SCRAM on a loopback port, no socket folder, no extensions, the same sort order everywhere. The
wheel's own launcher is not used: it adds accounts to the machine and opens closed parent folders.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2

from deploy.embedded import binaries, leftovers, ports
from deploy.embedded.account import unprivileged
from deploy.embedded.errors import StartError
from deploy.embedded.process import Child, Program
from deploy.embedded.secret import secret

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "irapp"
DURABLE = {"max_connections": "200", "shared_buffers": "128MB"}
FAST = {
    "max_connections": "300",
    "shared_buffers": "128MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class Postgres:
    """One PostgreSQL in one folder. Start it with ``Child(server.program(), log=…)``."""

    def __init__(self, home: Path, *, port: int, settings: dict[str, str] | None = None) -> None:
        self.home = home
        self.port = port
        self._settings = DURABLE if settings is None else settings
        self._account = unprivileged()
        self._binaries = binaries.postgres(machine_folder(), self._account)

    @property
    def data(self) -> Path:
        """The data directory; its parent is entered by its own account (and root) alone."""
        return self.home / "data"

    @property
    def url(self) -> str:
        """What goes into ``DATABASE_URL``."""
        return self._url(NAME)

    def program(self) -> Program:
        """Describe it for the supervisor. SIGINT is PostgreSQL's fast stop."""
        options = {"port": str(self.port), "listen_addresses": ports.LOOPBACK, **self._settings}
        return Program(
            name="postgres",
            command=(
                self._binaries / "postgres",
                *("-D", self.data),
                *("-c", "unix_socket_directories="),
                *(word for key, value in options.items() for word in ("-c", f"{key}={value}")),
            ),
            ready=self._ready,
            folder=self.home,
            account=self._account,
            stop_signal=signal.SIGINT,
            stop_within=30,
            attempts=5,  # after a crash, old backends may hold its shared memory for a moment
            prepare=self._prepare,
        )

    def _prepare(self) -> None:
        leftovers.end_postgres(self.data)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()

    def _initialise(self) -> None:
        """Make the cluster, complete or not at all."""
        shutil.rmtree(self.data, ignore_errors=True)
        unfinished = self.home / "data.part"
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            self._run_initdb(unfinished)
        except subprocess.CalledProcessError as error:
            raise StartError(f"initdb failed: {error.stderr.decode().strip()}") from error
        unfinished.rename(self.data)

    def _run_initdb(self, data: Path) -> None:
        subprocess.run(  # noqa: S603 - a command of our own
            [
                *(self._binaries / "initdb", "-D", data, "-U", NAME, "--encoding=UTF8"),
                *("--auth=scram-sha-256", f"--pwfile={self._password_file()}"),
                *("--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *(() if "fsync" not in self._settings else ("--no-sync",)),
            ],
            check=True,
            capture_output=True,
            cwd=self.home,
            user=self._account.uid if self._account else None,
            group=self._account.gid if self._account else None,
            extra_groups=[] if self._account else None,
        )

    def _ready(self, _child: Child) -> bool:
        try:
            connection = psycopg2.connect(self._url("postgres"), connect_timeout=5)
        except psycopg2.OperationalError:
            return False
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {NAME}")
        finally:
            connection.close()
        return True

    def _url(self, database: str) -> str:
        password = self._password_file().read_text()
        return f"postgres://{NAME}:{password}@{ports.LOOPBACK}:{self.port}/{database}"

    def _password_file(self) -> Path:
        path = self.home / "password"
        if not path.exists():
            secret(path)
            if self._account:
                os.chown(path, self._account.uid, self._account.gid)
        return path


def machine_folder() -> Path:
    """Where root keeps what PostgreSQL's account must be able to reach."""
    return Path(os.environ.get("IRAPP_POSTGRES_HOME", "/var/lib/irapp"))


def home_for(state: Path) -> Path:
    """Give the folder of a state folder's PostgreSQL, made if need be.

    Root's state folder is closed to the account PostgreSQL runs as, so root keeps it with the machine.
    """
    if unprivileged() is None:
        return prepared_home(state / "postgres")
    name = hashlib.sha256(os.fsencode(os.path.realpath(state))).hexdigest()[:16]
    return prepared_home(machine_folder() / name)


def prepared_home(home: Path) -> Path:
    """Make the folder that only PostgreSQL's account enters."""
    account = unprivileged()
    if account:
        home.parent.mkdir(parents=True, exist_ok=True)
        home.parent.chmod(home.parent.stat().st_mode | 0o111)
    home.mkdir(mode=0o700, exist_ok=True)
    if account:
        account.own(home)
    return home


def remove(home: Path) -> None:
    """Throw the data away; only what this module put there."""
    shutil.rmtree(home / "data", ignore_errors=True)
    (home / "password").unlink(missing_ok=True)
    home.rmdir()


@contextmanager
def temporary() -> Iterator[str]:
    """Give the URL of a PostgreSQL that lives as long as the block. For tests: nothing is durable."""
    leftovers.sweep_temporary()
    with tempfile.TemporaryDirectory(prefix=leftovers.TEMPORARY) as name:
        folder = Path(name)
        leftovers.sign_temporary(folder)
        home = prepared_home(folder / "postgres")
        server = Postgres(home, port=ports.free(), settings=FAST)
        child = Child(server.program(), log=folder / "postgres.log")
        try:
            child.bring_up()
            yield server.url
        finally:
            child.stop()
