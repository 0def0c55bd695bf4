"""Real processes for tests: on a free place, waited for, and ended whatever happens."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from tests.patience import wait_for

ROOT = Path(__file__).resolve().parents[2]


def database_url():
    """The test database, as a process beside the tests has to name it."""
    place = connection.settings_dict
    password = f":{place['PASSWORD']}" if place["PASSWORD"] else ""
    return f"postgres://{place['USER']}{password}@{place['HOST']}:{place['PORT']}/{place['NAME']}"


def environment(**more):
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "irapp.settings",
        "DATABASE_URL": database_url(),
        "DEBUG": "1",
        **more,
    }


def valkey_binary():
    from deploy.embedded import binaries

    return binaries.valkey()


class Process:
    """A program with a log; ``says`` waits for a word in it."""

    def __init__(self, command, *, log, env):
        self.command, self.log, self.env = [str(part) for part in command], log, env
        self.start()

    def start(self):
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command, stdout=output, stderr=subprocess.STDOUT, env=self.env, cwd=ROOT
            )

    @property
    def pid(self):
        return self._process.pid

    @property
    def alive(self):
        return self._process.poll() is None

    def says(self, word, *, within=60):
        wait_for(lambda: word in self.log.read_text(), within, told=f"{word!r} in {self.log.name}")

    def kill(self):
        self._process.kill()
        self._process.wait()

    def end(self, *, within=30):
        self._process.terminate()
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            return None


@contextmanager
def running(*command, log, **more):
    process = Process([sys.executable, *command], log=log, env=environment(**more))
    try:
        yield process
    finally:
        process.end()


@contextmanager
def valkey(folder):
    """A broker on a socket; it can be killed and started again with what it knew."""
    socket = folder / "valkey.sock"
    command = [valkey_binary(), "--port", 0, "--unixsocket", socket, "--dir", folder, "--appendonly", "yes"]
    process = Process(command, log=folder / "valkey.log", env=dict(os.environ))
    process.url = f"redis+socket://{socket}"
    try:
        process.says("Ready to accept connections")
        yield process
    finally:
        process.end()
