"""The Celery application. Messages only wake workers; what is owed stands in the outbox."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "irapp.settings")

app = Celery("irapp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(related_name="reactions")


@setup_logging.connect
def _leave_logs_alone(**_: object) -> None:
    """Keep Celery from bringing its own form of logs: Django's configuration is for workers too."""
