"""One gateway per module for the tests that need a real one."""

from __future__ import annotations

import pytest

from tests.enforcement import generated
from tests.enforcement.bare import Bare
from tests.enforcement.servers import Servers
from tests.enforcement.world import World


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    gateway = Bare(tmp_path_factory.mktemp("bare"), generated.MODELS)
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A whole gateway: agent, Envoy, filter, a model and a hub."""
    with Servers() as servers:
        found = World(tmp_path_factory.mktemp("world"), servers)
        try:
            found.start_agent()
            found.ready()
            yield found
        finally:
            found.stop()
