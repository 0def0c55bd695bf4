"""A whole stack, once for all the tests here."""

import pytest

from deploy.embedded.stack import temporary


@pytest.fixture(scope="session")
def stack():
    with temporary() as running:
        yield running
