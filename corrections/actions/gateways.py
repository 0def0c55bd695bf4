"""Gateways that are gone for good, and those that come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from corrections import policies
from corrections.models import Gateway
from corrections.validation import text
from irapp.audit.record import hint, record

if TYPE_CHECKING:
    from irapp.accounts.models import User


@transaction.atomic
def retire_gateway(*, gateway_id: int, reason: str, by: User) -> Gateway:
    """Stop waiting for a gateway that was taken out of service, whatever is heard of it later."""
    gateway = Gateway.objects.select_for_update(of=("self",), no_key=True).get(pk=gateway_id)
    now = timezone.now()
    policies.check_can_retire(gateway, by, now=now)
    because = text(reason, field="reason", required=True)
    gateway.retired_at, gateway.retired_by = now, by
    gateway.save()
    record("gateway.retired", gateway, by=by, reason=because)
    hint("gateways")
    return gateway


@transaction.atomic
def take_up_gateway(*, gateway_id: int, reason: str, by: User) -> Gateway:
    """Count a retired gateway that reports again: corrections are in force only where it agrees."""
    gateway = Gateway.objects.select_for_update(of=("self",), no_key=True).get(pk=gateway_id)
    policies.check_can_take_up(gateway, by, now=timezone.now())
    because = text(reason, field="reason", required=True)
    gateway.retired_at = gateway.retired_by = None
    gateway.save()
    record("gateway.returned", gateway, by=by, reason=because)
    hint("gateways")
    return gateway
