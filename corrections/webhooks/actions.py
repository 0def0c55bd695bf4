"""Everything that administrators do with webhooks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from corrections.models import Gateway, PolicyVersion
from corrections.validation import text
from corrections.webhooks import addresses, delivery, policies
from corrections.webhooks.models import Endpoint, Secret
from corrections.webhooks.sealing import new_secret, seal
from irapp.audit.record import hint, record
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from corrections.webhooks.noting import Outcome
    from irapp.accounts.models import User

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
LONGEST_OVERLAP = 168
MOST = 50


@dataclass(frozen=True)
class Revealed:
    """An endpoint, and its new secret: given once and never again."""

    endpoint: Endpoint
    secret: str


@transaction.atomic
def add_endpoint(*, name: str, url: str, required: bool, by: User) -> Revealed:
    """Send policies to one more address; it counts as a gateway from now on."""
    policies.check_can_manage(by)
    name, url = name.strip(), url.strip()
    _check_name(name)
    _check_address(url)
    if Endpoint.objects.kept().count() >= MOST:
        raise ConflictError(f"There are {MOST} webhooks: remove one first.", code="too_many")
    gateway = Gateway.objects.create(name=name, kind=Gateway.Kind.WEBHOOK, required=required)
    endpoint = Endpoint.objects.create(gateway=gateway, url=url, created_by=by)
    secret = _give_secret(endpoint)
    record("webhook.added", endpoint, by=by, url=url, required=required)
    _owe_newest(endpoint)
    hint("gateways")
    return Revealed(endpoint, secret)


@transaction.atomic
def rotate_secret(*, endpoint_id: int, overlap_hours: int, by: User) -> Revealed:
    """Sign with a new secret; with the old ones too, for as long as the receiver needs to change."""
    endpoint = _locked(endpoint_id)
    policies.check_can_change(endpoint, by)
    if not 0 <= overlap_hours <= LONGEST_OVERLAP:
        raise InvalidError(f"Between 0 and {LONGEST_OVERLAP} hours.", field="overlap_hours")
    now = timezone.now()
    ends = now + timedelta(hours=overlap_hours)
    secrets = Secret.objects.filter(endpoint=endpoint)
    secrets.filter(ends_at=None).update(ends_at=ends)
    secrets.filter(ends_at__gt=ends).update(ends_at=ends)
    secret = _give_secret(endpoint)
    record("webhook.secret_rotated", endpoint, by=by, old_ends_at=ends.isoformat())
    return Revealed(endpoint, secret)


@transaction.atomic
def pause_endpoint(*, endpoint_id: int, reason: str, by: User) -> Endpoint:
    """Send nothing there for now. A required endpoint still counts, so nothing turns active without it."""
    endpoint = _locked(endpoint_id)
    policies.check_can_pause(endpoint, by)
    endpoint.paused_at = timezone.now()
    endpoint.paused_because = text(reason, field="reason", required=True)
    endpoint.save()
    record("webhook.paused", endpoint, by=by, reason=endpoint.paused_because)
    return _changed(endpoint)


@transaction.atomic
def resume_endpoint(*, endpoint_id: int, by: User) -> Endpoint:
    """Send there again, the newest policy first."""
    endpoint = _locked(endpoint_id)
    policies.check_can_resume(endpoint, by)
    endpoint.paused_at, endpoint.paused_because = None, ""
    endpoint.save()
    record("webhook.resumed", endpoint, by=by)
    _owe_newest(endpoint)
    return _changed(endpoint)


@transaction.atomic
def require_endpoint(*, endpoint_id: int, required: bool, by: User) -> Endpoint:
    """Say whether a correction needs this acknowledgement before it counts as in force."""
    endpoint = _locked(endpoint_id)
    policies.check_can_change(endpoint, by)
    if endpoint.gateway.required != required:
        endpoint.gateway.required = required
        endpoint.gateway.save(update_fields=["required"])
        record("webhook.required" if required else "webhook.not_required", endpoint, by=by)
    return _changed(endpoint)


@transaction.atomic
def remove_endpoint(*, endpoint_id: int, reason: str, by: User) -> Endpoint:
    """Send nothing there any more; its secrets are forgotten and its gateway is retired."""
    endpoint = _locked(endpoint_id)
    policies.check_can_change(endpoint, by)
    because = text(reason, field="reason", required=True)
    now = timezone.now()
    endpoint.removed_at = now
    endpoint.save()
    Secret.objects.filter(endpoint=endpoint).delete()
    Gateway.objects.filter(pk=endpoint.gateway_id, retired_at=None).update(retired_at=now, retired_by=by)
    record("webhook.removed", endpoint, by=by, reason=because)
    return _changed(endpoint)


def ping_endpoint(*, endpoint_id: int, by: User) -> Outcome:
    """Ask an endpoint now, while its administrator waits."""
    endpoint = Endpoint.objects.select_related("gateway").get(pk=endpoint_id)
    policies.check_can_ping(endpoint, by)
    with delivery.alone(endpoint) as free:
        if not free:
            raise ConflictError("A message to it is under way; try again in a moment.", code="busy")
        outcome = delivery.ask(endpoint, quietly=False)
    with transaction.atomic():
        record("webhook.pinged", endpoint, by=by, status=outcome.status, error=outcome.error)
    return outcome


def _locked(endpoint_id: int) -> Endpoint:
    rows = Endpoint.objects.select_for_update(of=("self",)).select_related("gateway")
    return rows.get(pk=endpoint_id)


def _give_secret(endpoint: Endpoint) -> str:
    secret = new_secret()
    Secret.objects.create(endpoint=endpoint, sealed=seal(secret))
    return secret


def _owe_newest(endpoint: Endpoint) -> None:
    newest = PolicyVersion.objects.first()
    if newest is not None:
        delivery.owe_to(endpoint, newest)


def _changed(endpoint: Endpoint) -> Endpoint:
    hint("gateways")
    return endpoint


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidError(
            "A name has 1 to 63 letters, digits, dots, dashes or underscores, a letter or digit first.",
            field="name",
        )
    if Gateway.objects.filter(name=name).exists():
        raise InvalidError("There is, or was, a gateway of this name.", code="taken", field="name")


def _check_address(url: str) -> None:
    """Refuse what could never be sent to; a host that cannot be found yet may come."""
    target = addresses.parse(url)
    try:
        addresses.resolve(target)
    except addresses.NotFoundError:
        return
    except addresses.AddressError as error:
        raise InvalidError(str(error), field="url", code="address_refused") from error
