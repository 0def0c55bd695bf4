"""What beat asks for."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from corrections.segments import actions


@shared_task(expires=600)
def forget_uploads() -> None:
    """Forget files that nobody confirmed."""
    actions.forget_uploads(now=timezone.now())
