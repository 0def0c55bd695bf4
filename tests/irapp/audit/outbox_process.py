"""What the outbox's tests run beside themselves: a worker or a relay that knows the handlers below.

``celery -A tests.irapp.audit.outbox_process worker`` · ``python -m tests.irapp.audit.outbox_process``
"""

import os
import signal
import time
from pathlib import Path

from irapp.celery import app  # noqa: F401 (celery -A looks for it)


def note(payload, word):
    with Path(payload["file"]).open("a") as file:
        file.write(f"{word}\n")


def register():
    from irapp.audit.outbox import handles

    @handles("test.note")
    def _note(payload, item_id):
        note(payload, f"{item_id}")

    @handles("test.slow")
    def _slow(payload, item_id):
        note(payload, "begun")
        time.sleep(payload.get("seconds", 2))
        note(payload, "ended")

    @handles("test.killed-once", within=1)
    def _killed_once(payload, item_id):
        already = Path(payload["file"]).exists()
        note(payload, "begun")
        if not already:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    import django
    from django.core.management import call_command

    django.setup()
    register()
    from irapp.audit import relay

    relay.POLL = float(os.environ.get("TEST_POLL", relay.POLL))
    call_command("relay")
else:
    from celery.signals import worker_init

    worker_init.connect(lambda **_: register(), weak=False)
