"""One fleet per module; each test leaves it healed."""

from __future__ import annotations

import pytest

from tests.enforcement.faults.fleet import Fleet
from tests.enforcement.faults.watch import Watch


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """One hub and one gateway with its content filter."""
    with Fleet(tmp_path_factory.mktemp("one"), filtered=True) as fleet:
        yield fleet


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Two hubs and five gateways."""
    with Fleet(tmp_path_factory.mktemp("many"), hubs=2, gateways=5) as fleet:
        yield fleet


@pytest.fixture
def watch():
    """Somebody who asks without pause for what must be refused."""
    with Watch() as found:
        yield found
