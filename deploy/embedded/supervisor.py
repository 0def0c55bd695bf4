"""Keeps the started programs running until they are told to stop."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from deploy.embedded.errors import StartError
from deploy.embedded.process import Child, Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

BACK_OFF = (0.2, 1.0, 3.0, 10.0, 30.0)
STABLE = 60.0
LOOK_EVERY = 0.2


class Supervisor:
    """The programs of a stack, in the order in which they were started."""

    def __init__(self, folder: Path, *, tell: Callable[[str], None]) -> None:
        self._logs = folder / "logs"
        self._records = folder / "run"
        self._tell = tell
        self._groups: list[list[Child]] = []
        self._failures: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self.over = threading.Event()

    @property
    def children(self) -> dict[str, Child]:
        """Every program by name."""
        return {child.program.name: child for group in self._groups for child in group}

    def bring_up(self, programs: Iterable[Program]) -> None:
        """Start programs together and wait until all are ready. They will be stopped together, too.

        :raises StartError: one of them did not come up.
        """
        group = [self._child(program) for program in programs]
        self._groups.append(group)
        for child in group:
            child.launch()
        for child in group:
            self._await(child)

    def watch(self) -> None:
        """Start again what ends, each time a little later, until ``over``."""
        while not self.over.wait(LOOK_EVERY):
            for name, child in self.children.items():
                if child.pid is None:
                    self._restart(name, child)

    def stop(self) -> None:
        """Stop everything, the last group first, each group at once."""
        self.over.set()
        for group in reversed(self._groups):
            for child in group:
                child.ask_to_stop()
            for child in group:
                child.stop()
        self._groups = []

    def _child(self, program: Program) -> Child:
        name = program.name
        return Child(program, log=self._logs / f"{name}.log", record=self._records / name)

    def _await(self, child: Child) -> None:
        """Wait until it is ready; some may try again (a database that recovers from a crash)."""
        try:
            child.await_ready()
        except StartError:
            child.stop()
            if child.program.attempts == 1:
                raise
            child.bring_up()

    def _restart(self, name: str, child: Child) -> None:
        if name not in self._due:
            failures = 0 if child.age > STABLE else self._failures.get(name, 0)
            pause = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
            self._failures[name] = failures + 1
            self._due[name] = time.monotonic() + pause
            self._tell(f"{name} ended ({child.exit_code}); starting it again, see {child.log}")
            child.stop()  # what it left behind in its session
        if time.monotonic() >= self._due[name]:
            del self._due[name]
            with suppress(StartError):  # told again when it ends again
                child.launch()
