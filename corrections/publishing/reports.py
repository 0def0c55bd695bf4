"""Taking in what gateways report: the newest word of each, never an older one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from django.db import DataError, IntegrityError, connection, transaction

from corrections.models import Acknowledgement, Gateway
from corrections.publishing.client import Heard
from corrections.publishing.skew import note_untaken, with_skew
from enforcement import policy
from irapp.audit.record import hint, record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corrections.publishing.client import Status

AHEAD = timedelta(minutes=1)
"""A report from further in the future would make every later one look old."""
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""No clock that was never set says less; what lies before the first year cannot be read back."""
_WRITE = """
UPDATE corrections_gateway AS gateway SET
  report = said.report, reported_at = said.reported_at, seen_at = said.seen_at,
  policy_version = said.policy_version, policy_digest = said.policy_digest,
  live = said.live, rejected = said.rejected, error = said.error
FROM jsonb_to_recordset(%s::jsonb) AS said(
  id bigint, report jsonb, reported_at timestamptz, seen_at timestamptz, policy_version bigint,
  policy_digest text, live boolean, rejected integer, error text
)
WHERE gateway.id = said.id
"""
_WRITTEN = (
    *("report", "reported_at", "seen_at", "policy_version", "policy_digest", "live", "rejected", "error"),
)
ADAPTERS = ("litellm ",)
"""How the versions of gateways begin that are no Envoy and report all the same."""
log = structlog.get_logger(__name__)


def take_in(status: Status, *, now: datetime) -> None:
    """Keep each gateway's newest report; one that cannot be read leaves its gateway to fall silent."""
    known = dict(Gateway.objects.values_list("name", "reported_at"))
    told = sorted(status.gateways.items())
    heard = [said for name, raw in told if (said := _read(name, raw, known=known.get(name), now=now))]
    new = [said for said in heard if _is_newer(said, known.get(said.gateway))]
    try:
        changed = take_in_reports(new, now=now)
    except (DataError, IntegrityError) as error:
        log.warning("reports_taken_one_by_one", error=str(error))
        each_changed = [_take_in_alone(said, now=now) for said in new]
        changed = any(each_changed)
    if changed:
        hint("gateways")


@transaction.atomic
def take_in_reports(heard: Sequence[Heard], *, now: datetime) -> bool:
    """Keep reports, a few statements for all of them; tell whether they say anything new."""
    if not heard:
        return False
    gateways = _locked(heard, now=now)
    newer = [said for said in heard if _is_newer(said, gateways[said.gateway].reported_at)]
    acknowledged = [each for said in newer if (each := _acknowledgement(gateways[said.gateway], said))]
    changed = [_apply(gateways[said.gateway], said, now=now) for said in newer]
    _write([gateways[said.gateway] for said in newer])
    Acknowledgement.objects.bulk_create(acknowledged)
    return any(changed)


def _read(name: str, raw: msgspec.Raw, *, known: datetime | None, now: datetime) -> Heard | None:
    try:
        heard = policy.parse(bytes(raw), Heard)
    except policy.PolicyError as error:
        log.warning("report_unreadable", gateway=name, error=str(error))
        return None
    moments = [heard.reported_at, *(each.checked_at for each in heard.corrections.values())]
    if not all(EARLIEST <= moment <= now + AHEAD for moment in moments):
        log.warning("report_not_kept", gateway=name, error="its clock is wrong")
        if heard.live:
            note_untaken(heard, known=known, now=now)
        return None
    return with_skew(heard, now=now)


def _take_in_alone(said: Heard, *, now: datetime) -> bool:
    try:
        return take_in_reports([said], now=now)
    except (DataError, IntegrityError) as error:
        log.warning("report_not_kept", gateway=said.gateway, error=str(error))
        return False


def _write(gateways: list[Gateway]) -> None:
    rows = [{"id": each.pk} | {name: getattr(each, name) for name in _WRITTEN} for each in gateways]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [msgspec.json.encode(rows).decode()])


def _locked(heard: Sequence[Heard], *, now: datetime) -> dict[str, Gateway]:
    """Fetch the gateways that report, those that do so for the first time among them, in one order.

    No key of theirs changes: whoever writes rows that refer to them, in whatever order, need not wait.
    """
    names = sorted({said.gateway for said in heard})
    rows = Gateway.objects.select_for_update(of=("self",), no_key=True)
    found = {gateway.name: gateway for gateway in rows.filter(name__in=names).order_by("name")}
    for name in names:
        if name not in found:
            gateway, new = Gateway.objects.get_or_create(name=name, defaults={"registered_at": now})
            found[name] = gateway
            if new:
                record("gateway.registered", gateway, by=None)
    return found


def _is_newer(said: Heard, reported_at: datetime | None) -> bool:
    """Whether it is no older one, from another hub or by another way."""
    return reported_at is None or said.reported_at > reported_at


def _acknowledgement(gateway: Gateway, said: Heard) -> Acknowledgement | None:
    """Give what is to be remembered where the gateway acknowledges something else than before."""
    before = (gateway.policy_version, gateway.policy_digest)
    if said.policy is None or (said.policy.version, said.policy.digest) == before:
        return None
    held = said.policy
    return Acknowledgement(gateway=gateway, version=held.version, digest=held.digest, at=said.reported_at)


def _apply(gateway: Gateway, heard: Heard, *, now: datetime) -> bool:
    """Write a report into its gateway, retired or not; tell whether it says anything new.

    The last word of a gateway that is gone is kept too, but it is not heard by that.
    """
    if gateway.kind == Gateway.Kind.ENVOY and heard.envoy.version.startswith(ADAPTERS):
        gateway.kind = Gateway.Kind.ADAPTER
        gateway.save(update_fields=["kind"])
    before, gateway.report = gateway.report, _as_data(heard)
    gateway.reported_at = heard.reported_at
    gateway.seen_at = now if heard.live else gateway.seen_at
    gateway.policy_version = heard.policy.version if heard.policy else None
    gateway.policy_digest = heard.policy.digest if heard.policy else ""
    gateway.live, gateway.rejected = heard.envoy.live, heard.envoy.rejected
    gateway.error = heard.envoy.error
    return _news(before) != _news(gateway.report)


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
