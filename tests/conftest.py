"""A hermetic suite: its own PostgreSQL unless ``DATABASE_URL`` names one, nothing else from outside."""

import os
from contextlib import ExitStack

import pytest

_running = ExitStack()
if "DATABASE_URL" not in os.environ:  # workers of pytest-xdist inherit it, and so share the server
    from deploy.embedded import postgres

    os.environ["DATABASE_URL"] = _running.enter_context(postgres.temporary())
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"


def pytest_configure():
    import django

    django.setup()


def pytest_unconfigure():
    _running.close()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Let tests that really commit be cleaned up after, although events cannot be removed."""
    from tests import flushing

    with django_db_blocker.unblock():
        flushing.keep_reference_rows()
    with flushing.allowed():
        yield
