"""What a supervisor that was killed left running, and how it is known to be ours.

Every child carries the state folder it belongs to in its environment, which its own children inherit. Some
servers write over their environment, so each child's number and time of birth are recorded, too. A process
with neither mark nor record is never touched, whatever its number or name.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MARK = "IRAPP_STACK"
TEMPORARY = "irapp-temporary-"
OWNER = "owner"
RECORDS = "run"
CLOCK_STEP = 5.0
"""Times of birth are counted from the clock, which may be set in between."""


def marked(state: Path) -> Iterator[psutil.Process]:
    """Give every process that was started for the state folder, except this one."""
    wanted = os.path.realpath(state)
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == wanted and process.pid != os.getpid():
                yield process


def recorded(state: Path) -> Iterator[psutil.Process]:
    """Give the processes whose records lie in the state folder and that still are the same ones."""
    for path in (state / RECORDS).glob("*"):
        with suppress(psutil.NoSuchProcess, ValueError):
            process = _same_process(json.loads(path.read_text()))
            if process is not None:
                yield process


def end_all(state: Path) -> int:
    """End everything that was started for the state folder; give how many that were."""
    found = {process.pid: process for process in (*recorded(state), *marked(state))}
    end(found.values())
    return len(found)


def record(path: Path, pid: int) -> None:
    """Note which process that is, by number and time of birth."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with suppress(psutil.NoSuchProcess):
        path.write_text(json.dumps({"pid": pid, "born": psutil.Process(pid).create_time()}))


def end(
    processes: Iterable[psutil.Process],
    *,
    first: signal.Signals = signal.SIGTERM,
    within: float = 10,
) -> None:
    """End processes: politely first, for good after a while. psutil guards against reused numbers."""
    remaining = list(processes)
    for step in (first, signal.SIGKILL):
        for process in remaining:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(step)
        _, remaining = psutil.wait_procs(remaining, timeout=within)


def end_postgres(data: Path) -> None:
    """Stop the server of a data directory that nobody supervises, and drop a stale lock.

    PostgreSQL writes over its own environment, so it is known by its lock file and working folder.
    """
    lock = data / "postmaster.pid"
    with suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
        process = psutil.Process(int(lock.read_text().split("\n", 1)[0]))
        if process.cwd() == os.path.realpath(data):
            end([process], first=signal.SIGINT)
        else:
            # The number belongs to somebody else by now; PostgreSQL would wait for them for ever.
            lock.unlink()


def sign_temporary(folder: Path) -> None:
    """Write into a temporary folder which process it lives with."""
    record(folder / OWNER, os.getpid())


def sweep_temporary() -> None:
    """Remove the temporary folders, with their servers, of processes that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{TEMPORARY}*"):
        with suppress(FileNotFoundError, ValueError):
            if folder.lstat().st_uid == os.geteuid() and not _owner_lives(folder):
                end_all(folder)
                end_postgres(folder / "postgres" / "data")
                shutil.rmtree(folder, ignore_errors=True)


def _owner_lives(folder: Path) -> bool:
    try:
        return _same_process(json.loads((folder / OWNER).read_text())) is not None
    except psutil.NoSuchProcess:
        return False


def _same_process(noted: dict[str, float]) -> psutil.Process | None:
    """Give the process that was recorded, unless its number is somebody else's by now."""
    process = psutil.Process(int(noted["pid"]))
    return process if abs(process.create_time() - noted["born"]) < CLOCK_STEP else None
