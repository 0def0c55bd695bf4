"""Taking in what gateways report: the newest word of each, never an older one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from django.db import DataError, IntegrityError, transaction

from corrections.models import Gateway
from corrections.publishing.client import Heard
from irapp.audit.record import hint, record

if TYPE_CHECKING:
    from datetime import datetime

    from corrections.publishing.client import Status

AHEAD = timedelta(minutes=1)
"""A report from further in the future would make every later one look old."""
log = structlog.get_logger(__name__)


def take_in(status: Status, *, now: datetime) -> None:
    """Keep each gateway's newest report; one that cannot be read leaves its gateway to fall silent."""
    changed = False
    for name, raw in sorted(status.gateways.items()):
        try:
            heard = msgspec.json.decode(raw, type=Heard)
        except msgspec.DecodeError as error:
            log.warning("report_unreadable", gateway=name, error=str(error))
            continue
        try:
            changed |= take_in_report(heard, now=now)
        except (DataError, IntegrityError, TypeError, ValueError) as error:
            log.warning("report_not_kept", gateway=name, error=str(error))
    if changed:
        hint("gateways")


@transaction.atomic
def take_in_report(heard: Heard, *, now: datetime) -> bool:
    """Keep one report; tell whether it says anything new."""
    if heard.reported_at > now + AHEAD:
        raise ValueError(f"its clock is ahead: {heard.reported_at.isoformat()}")
    _register(heard.gateway, now=now)
    gateway = Gateway.objects.select_for_update(of=("self",)).get(name=heard.gateway)
    if gateway.reported_at is not None and heard.reported_at <= gateway.reported_at:
        return False  # an older one, from another hub or by another way
    if gateway.retired_at is not None:
        gateway.retired_at = gateway.retired_by = None
        record("gateway.returned", gateway, by=None)
    before, gateway.report = gateway.report, _as_data(heard)
    gateway.reported_at, gateway.seen_at = heard.reported_at, now
    gateway.policy_version = heard.policy.version if heard.policy else None
    gateway.policy_digest = heard.policy.digest if heard.policy else ""
    gateway.live, gateway.rejected = heard.envoy.live, heard.envoy.rejected
    gateway.error = heard.envoy.error
    gateway.save()
    return _news(before) != _news(gateway.report)


def _register(name: str, *, now: datetime) -> None:
    gateway, new = Gateway.objects.get_or_create(name=name, defaults={"registered_at": now})
    if new:
        record("gateway.registered", gateway, by=None)


def _as_data(heard: Heard) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(heard)
    del data["seen_at"], data["live"]
    return data


def _news(report: dict[str, Any] | None) -> dict[str, Any]:
    """Leave out what differs in every report."""
    said = {name: value for name, value in (report or {}).items() if name != "reported_at"}
    said["corrections"] = {
        key: {name: value for name, value in seen.items() if name != "checked_at"}
        for key, seen in said.get("corrections", {}).items()
    }
    return said
