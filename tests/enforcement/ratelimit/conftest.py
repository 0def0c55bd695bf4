"""One Valkey for all, and two services that share it as those of two gateways do."""

from __future__ import annotations

import pytest

from enforcement.envoy import limits
from tests.enforcement.ratelimit.parts import PATIENT, Service, Valkey


@pytest.fixture(autouse=True, scope="session")
def slow_machines():
    """Let Envoy wait longer than it would: exact counts are tested, not how busy the machine is."""
    patch = pytest.MonkeyPatch()
    patch.setattr(limits, "TIMEOUT", "10s")
    yield
    patch.undo()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory):
    found = Valkey(tmp_path_factory.mktemp("valkey"))
    try:
        found.start()
        yield found
    finally:
        found.kill()


@pytest.fixture(scope="session")
def services(valkey, tmp_path_factory):
    folders = [tmp_path_factory.mktemp("service") for _ in range(2)]
    found = [Service(folder, valkey.url, **PATIENT) for folder in folders]
    try:
        for one in found:
            one.start()
        yield found
    finally:
        for one in found:
            one.stop()
