"""A whole stack for each file of tests: what one leaves behind is nothing that another has to know of."""

import pytest

from deploy.embedded.stack import temporary


@pytest.fixture(scope="module")
def stack():
    with temporary() as running:
        yield running
