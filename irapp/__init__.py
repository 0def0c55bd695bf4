"""The project: settings, addresses, workers, and the floors that every app stands on."""

from irapp.celery import app as celery_app

__all__ = ["celery_app"]
