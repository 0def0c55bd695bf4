"""What an operator may get wrong is told in one line, by the name of the variable."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from enforcement.ratelimit.config import SettingsError, from_environment
from tests.enforcement.world import ROOT, free_port


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RATELIMIT_PORT", "many"),
        ("RATELIMIT_ADMIN_PORT", "70000"),
        ("RATELIMIT_REDIS_TIMEOUT_MS", "0"),
        ("RATELIMIT_LEASE_SECONDS", "-1"),
        ("REDIS_URL", "amqp://broker"),
    ],
)
def test_a_wrong_setting_is_told_by_its_name(name, value):
    with pytest.raises(SettingsError, match=name):
        from_environment({name: value})


@pytest.mark.parametrize("name", ["RATELIMIT_PORT", "RATELIMIT_ADMIN_PORT"])
def test_a_taken_port_is_told_in_one_line(name):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = {"RATELIMIT_PORT": str(free_port()), "RATELIMIT_ADMIN_PORT": str(free_port())}
        environment = ports | {name: str(taken.getsockname()[1])}

        result = subprocess.run(
            [sys.executable, "-m", "enforcement.ratelimit"],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert result.returncode == 2
    assert name in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
