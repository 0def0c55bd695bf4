"""A hermetic suite: its own PostgreSQL unless ``DATABASE_URL`` names one, nothing else from outside."""

import os
import shutil
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings

_running = ExitStack()
if "DATABASE_URL" not in os.environ:  # workers of pytest-xdist inherit it, and so share the server
    from deploy.embedded import postgres

    os.environ["DATABASE_URL"] = _running.enter_context(postgres.temporary())
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"


# How long an example takes says how busy the machine is, and nothing else. The examples are the same in every
# run, so that a run says something of the change; to look for others: --hypothesis-profile=explore.
_TIMELESS = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("explore", **_TIMELESS)
settings.register_profile("same", derandomize=True, **_TIMELESS)
settings.load_profile("same")


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


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium. One module at a time: a second Playwright in a process refuses to start."""
    from playwright.sync_api import expect, sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright leaves an event loop in this thread; Django would take every query for an async one.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        expect.set_options(timeout=20_000)  # a page that is slow on a busy machine is no broken one
        running = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield running
        running.close()
