"""What an installation can get wrong, as numbered system checks: ``manage.py check --deploy``."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Caution

LOSSY = ("memory", "filesystem", "sqla+", "sqlalchemy")


@register("irapp", deploy=True)
def broker_keeps_messages(**_: object) -> list[CheckMessage]:
    """A broker that forgets delays effects to the next sweep."""
    url = settings.CELERY_BROKER_URL
    if url and not url.startswith(LOSSY):
        return []
    hint = "Set CELERY_BROKER_URL (or REDIS_URL) to Redis, Valkey or RabbitMQ."
    return [Error("The broker would lose messages, or there is none.", hint=hint, id="irapp.E001")]


@register("irapp", deploy=True)
def demo_is_off(**_: object) -> list[CheckMessage]:
    """Everybody knows the passwords of the demo."""
    if not settings.DEMO:
        return []
    return [Error("This is a demo: its passwords are public.", hint="Unset DEMO.", id="irapp.E002")]


@register("irapp", deploy=True)
def pages_are_encrypted(**_: object) -> list[CheckMessage]:
    """Sessions travel with every request."""
    if settings.HTTPS:
        return []
    hint = "Set PUBLIC_URL to the https address that people use."
    return [Caution("Sessions would travel in the clear.", hint=hint, id="irapp.W001")]
