"""One filter and one model per module."""

from __future__ import annotations

import pytest

from tests.enforcement.filter.gate import Gate
from tests.enforcement.filter.upstream import Upstream


@pytest.fixture(scope="module")
def upstream():
    with Upstream() as model:
        yield model


@pytest.fixture(scope="module")
def _gate(tmp_path_factory, upstream):
    found = Gate(tmp_path_factory.mktemp("gate"), upstream.port)
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture
def gate(_gate, upstream):
    """A filter with an empty policy."""
    _gate.enforce()
    (_gate.folder / "filter-events.log").unlink(missing_ok=True)
    upstream.requests.clear()
    upstream.asked.clear()
    upstream.score, upstream.broken = 0.0, 0
    return _gate
