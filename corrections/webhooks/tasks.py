"""What beat asks for: endpoints are asked what they hold, each by a message of its own."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from corrections.webhooks import delivery
from corrections.webhooks.models import Endpoint, Secret

EVERY = timedelta(seconds=30)


@shared_task(expires=10)
def ask_endpoints() -> None:
    """Have every endpoint asked that was not asked lately; forget secrets that have ended."""
    now = timezone.now()
    Secret.objects.filter(ends_at__lte=now).delete()
    due = Endpoint.objects.sending().filter(Q(asked_at=None) | Q(asked_at__lte=now - EVERY))
    for endpoint in due.values_list("pk", flat=True):
        ask_endpoint.delay(endpoint)


@shared_task(expires=20)
def ask_endpoint(endpoint_id: int) -> None:
    """Ask one endpoint; where it lacks the newest policy and none is on its way, owe it again."""
    endpoint = Endpoint.objects.sending().filter(pk=endpoint_id).first()
    if endpoint is None:
        return
    with delivery.alone(endpoint) as free:
        if not free:
            return
        Endpoint.objects.filter(pk=endpoint_id).update(asked_at=timezone.now())
        outcome = delivery.ask(endpoint, quietly=True)
    newest = delivery.behind(outcome)
    if newest is not None and not delivery.is_owed(endpoint):
        with transaction.atomic():
            delivery.owe_to(endpoint, newest)
