"""A database to measure on: PostgreSQL of its own unless DATABASE_URL names one, nothing of it kept."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def rolled_back() -> Iterator[None]:
    """Make Django ready, with every migration; what is written in here is rolled back."""
    with ExitStack() as running:
        if "DATABASE_URL" not in os.environ:
            from deploy.embedded import postgres  # noqa: PLC0415

            os.environ["DATABASE_URL"] = running.enter_context(postgres.temporary())
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
        import django  # noqa: PLC0415

        django.setup()
        from django.core.management import call_command  # noqa: PLC0415
        from django.db import transaction  # noqa: PLC0415

        call_command("migrate", verbosity=0)
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
