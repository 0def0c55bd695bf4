"""``manage.py relay``: hand out what is owed to the outside, as soon as it is owed."""

from __future__ import annotations

import signal

from django.core.management.base import BaseCommand

from irapp.audit.relay import Relay
from irapp.celery import app


class Command(BaseCommand):
    help = "Hand out what is owed to the outside. Runs until it is told to stop; several may run at once."

    def handle(self, *_args: object, **_options: object) -> None:
        """Run in the foreground; SIGTERM and SIGINT end it after the item in hand."""
        app.loader.import_default_modules()  # without a broker the relay carries out items itself
        relay = Relay()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: relay.stop())
        relay.run()
