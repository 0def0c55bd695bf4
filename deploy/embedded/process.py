"""One process of the embedded start-up: how it is started, known to be ready, and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from deploy.embedded import leftovers
from deploy.embedded.errors import StartError
from deploy.embedded.interrupts import postponed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deploy.embedded.account import Account

ROOT = Path(__file__).resolve().parents[2]
LOG_LIMIT = 10_000_000
PAUSE = 0.05


def _nothing() -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to start. ``ready`` is asked until it says yes; ``prepare`` runs before each start."""

    name: str
    command: tuple[str | Path, ...]
    ready: Callable[[Child], bool]
    environment: Mapping[str, str] | None = None
    """The whole environment; None passes ours on."""
    folder: Path = ROOT
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    ready_within: float = 60
    stop_within: float = 15
    attempts: int = 1
    prepare: Callable[[], None] = _nothing


class Child:
    """A program that runs in a session of its own, so that ending it ends all it started."""

    def __init__(self, program: Program, *, log: Path, record: Path | None = None) -> None:
        self.program = program
        self.log = log
        self._record = record
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._started = 0.0
        self._asked = False

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._started

    @property
    def exit_code(self) -> int | None:
        """How it ended, when it ended by itself."""
        return self._process.poll() if self._process else None

    def bring_up(self) -> None:
        """Start it and wait until it is ready; after a crash again, each time a little later.

        :raises StartError: with the last lines of its log.
        """
        for attempt in range(1, self.program.attempts + 1):
            self.launch()
            try:
                self.await_ready()
            except StartError:
                self.stop()
                if attempt == self.program.attempts:
                    raise
                time.sleep(0.2 * 2**attempt)
            else:
                return

    def launch(self) -> None:
        """Start it without waiting; what is left of an earlier run is ended first."""
        self.stop()
        self.program.prepare()
        self._asked = False
        with self._open_log() as output, postponed():
            self._log_start, self._started = output.tell(), time.monotonic()
            self._process = self._begin(output)
            if self._record is not None:
                leftovers.record(self._record, self._process.pid)

    def _begin(self, output: BinaryIO) -> subprocess.Popen[bytes]:
        account = self.program.account
        return subprocess.Popen(  # noqa: S603 - a command of our own
            [os.fspath(part) for part in self.program.command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self.program.folder,
            env=self.program.environment,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )

    def await_ready(self) -> None:
        """Wait until the program answers.

        :raises StartError: it ended, or did not answer in time.
        """
        until = time.monotonic() + self.program.ready_within
        while True:
            # First this: somebody else may answer on the port that made it end.
            if self.pid is None:
                raise StartError(f"{self.program.name} ended while starting; {self.tail()}")
            if self.program.ready(self):
                return
            if time.monotonic() > until:
                raise StartError(
                    f"{self.program.name} did not answer within "
                    f"{self.program.ready_within:.0f} s; {self.tail()}"
                )
            time.sleep(PAUSE)

    def ask_to_stop(self) -> None:
        """Ask it to end, without waiting."""
        if self._process is not None and not self._asked:
            self._asked = True
            self._process.send_signal(self.program.stop_signal)

    def stop(self) -> None:
        """End it and everything it started: first politely, after a while for good."""
        self.ask_to_stop()
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(self.program.stop_within)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if self._record is not None:
            self._record.unlink(missing_ok=True)

    def said(self) -> str:
        """Give what it wrote into its log since it was started."""
        with self.log.open(errors="replace") as log:
            log.seek(self._log_start)
            return log.read()

    def tail(self) -> str:
        """Give the last lines of the log, for an error message."""
        return last_lines(self.log)

    def _open_log(self) -> BinaryIO:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".old.log"))
        return self.log.open("ab")


def last_lines(log: Path, lines: int = 12) -> str:
    """Quote the end of a log, for an error message."""
    with log.open(errors="replace") as file:
        last = deque(file, maxlen=lines)
    return f"last lines of {log}:\n" + "".join(f"    {line}" for line in last).rstrip()
