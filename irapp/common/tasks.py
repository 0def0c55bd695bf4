"""What beat asks of the lowest floor."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from irapp.common.api import idempotency


@shared_task(expires=600)
def forget_calls() -> None:
    """Forget answers to repeated calls that nobody will ask for again."""
    idempotency.forget(now=timezone.now())
