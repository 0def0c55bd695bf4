"""``python -m deploy.embedded up|reset|psql-url``: what ``make run`` and ``make reset`` call."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded import console, leftovers, ports, postgres
from deploy.embedded.errors import StartError
from deploy.embedded.interrupts import STOPPING
from deploy.embedded.process import ROOT
from deploy.embedded.stack import Stack
from deploy.embedded.state import State

if TYPE_CHECKING:
    from types import FrameType


def main() -> int:
    """Do what was asked; a problem is told in a line or two, without a traceback."""
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded", description=__doc__)
    parser.add_argument("command", choices=("up", "reset", "psql-url"))
    command = {"up": up, "reset": reset, "psql-url": psql_url}[parser.parse_args().command]
    try:
        command(Path(os.environ.get("IRAPP_STATE_DIR") or ROOT / ".irapp"))
    except StartError as error:
        print(f"irapp: {error}", file=sys.stderr)
        return 1
    return 0


def up(folder: Path) -> None:
    """Start everything, show where it is, and keep it running until Ctrl-C."""
    stack = Stack(
        folder,
        ports=ports.from_environment(os.environ),
        environment=os.environ,
        tell=console.say,
    )
    for number in STOPPING:
        signal.signal(number, _interrupt)
    try:
        stack.start()
        console.show(stack)
        stack.watch()
    except KeyboardInterrupt:
        console.say("Stopping …")
    finally:
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)
        stack.stop()
    console.say("Stopped. The data stay; `make run` goes on with them.")


def reset(folder: Path) -> None:
    """Throw the data away."""
    state = State(folder)
    if not state.exists:
        console.say("There is nothing to throw away.")
        return
    state.lock()
    leftovers.end_all(state.folder)
    home = postgres.home_for(state.folder)
    leftovers.end_postgres(home / "data")
    postgres.remove(home)
    state.remove()
    console.say("Thrown away. `make run` starts over.")


def psql_url(folder: Path) -> None:
    """Print the address of the database, for psql and the like."""
    state = State(folder)
    port = state.recall("postgres-port")
    if not port:
        raise StartError("there is no embedded database yet: make run")
    print(postgres.Postgres(postgres.home_for(state.folder), port=int(port)).url)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
