"""One Valkey for all, and two services that share it as those of two gateways do."""

from __future__ import annotations

import pytest

from tests.enforcement.ratelimit.parts import Service, Valkey


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
    found = [Service(tmp_path_factory.mktemp("service"), valkey.url) for _ in range(2)]
    try:
        for one in found:
            one.start()
        yield found
    finally:
        for one in found:
            one.stop()
