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
    with Valkey(tmp_path_factory.mktemp("valkey")) as running:
        yield running


@pytest.fixture(scope="session")
def services(valkey, tmp_path_factory):
    one, two = (Service(tmp_path_factory.mktemp("service"), valkey.url, **PATIENT) for _ in range(2))
    with one, two:
        yield [one, two]
