"""What a supervisor that was killed left running, and how it is known to be ours.

Every child carries the state folder it belongs to in its environment, which its own children inherit; a
process without that mark is never touched, whatever its number or name.
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
OWNER = "owner.json"


def marked(state: Path) -> Iterator[psutil.Process]:
    """Give every process that was started for the state folder, except this one."""
    wanted = os.path.realpath(state)
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == wanted and process.pid != os.getpid():
                yield process


def end_marked(state: Path) -> int:
    """End everything that was started for the state folder; give how many that were."""
    found = list(marked(state))
    end(found)
    return len(found)


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
    me = psutil.Process()
    (folder / OWNER).write_text(json.dumps({"pid": me.pid, "created": me.create_time()}))


def sweep_temporary() -> None:
    """Remove the temporary folders, with their servers, of processes that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{TEMPORARY}*"):
        with suppress(FileNotFoundError, ValueError):
            if folder.lstat().st_uid == os.geteuid() and not _owner_lives(folder):
                end_marked(folder)
                end_postgres(folder / "postgres" / "data")
                shutil.rmtree(folder, ignore_errors=True)


def _owner_lives(folder: Path) -> bool:
    owner = json.loads((folder / OWNER).read_text())
    try:
        created = psutil.Process(owner["pid"]).create_time()
    except psutil.NoSuchProcess:
        return False
    return bool(created == owner["created"])
