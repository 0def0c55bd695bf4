"""Comparing what is wanted with what gateways show: in force, gone, failed, drifted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from django.db import DataError, IntegrityError, transaction

from corrections.actions.base import held
from corrections.actions.settling import activate, alarm_overdue, drifted, fail, finish_lifting, recovered
from corrections.models import Correction
from corrections.publishing.looking import Look
from corrections.publishing.observations import keep
from corrections.publishing.readback import observed, why_not_gone, why_not_in_force
from corrections.states import VERIFIED, State
from enforcement.report import BIGGEST
from irapp.audit.record import hint

if TYPE_CHECKING:
    from corrections.models import CorrectionGateway, Gateway

GRACE = timedelta(seconds=4)
"""A probe may go wrong once while an update settles; what stays wrong for this long is drift."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Finding:
    """What one gateway still lacks for one correction; empty when it agrees."""

    gateway: Gateway
    why_not: str
    since: datetime | None


@dataclass(frozen=True)
class _Seen:
    """One correction at all gateways: what they lack, and what is to be kept of it."""

    correction: Correction
    findings: list[Finding]
    changed: list[CorrectionGateway]


def evaluate(*, now: datetime) -> None:
    """Look at every correction that is wanted or being lifted, at every gateway; required ones decide."""
    look = Look(_watched(now=now), now=now)
    seen = [_find(correction, look) for correction in look.watched]
    kept = keep([row for each in seen for row in each.changed])
    for changed in sorted(kept.union(look.counted)):
        hint(f"correction:{changed}", "gateways")
    for each in seen:
        if _needs_settling(each.correction, each.findings, now=now):
            _settle_alone(each.correction, each.findings, now=now)


def _watched(*, now: datetime) -> list[Correction]:
    """What gateways should show or should show gone; a version that is being replaced is neither."""
    lifting = Correction.objects.filter(state=State.LIFTING)
    return list((Correction.objects.wanted(now=now) | lifting).order_by("pk"))


def _find(correction: Correction, look: Look) -> _Seen:
    """Judge what is news; every other gateway agrees, as it did before."""
    news, findings, changed = look.news(correction), [], []
    for gateway in look.gateways:
        why_not, since = "", None
        if gateway.pk in news:
            row = look.row(correction, gateway)
            why_not = _why_not(correction, gateway, look, was_there=row.verified_once)
            if _note(row, correction, gateway, why_not, now=look.now):
                changed.append(row)
            since = row.wrong_since
        if gateway.required:
            findings.append(Finding(gateway, why_not, since))
    return _Seen(correction, findings, changed)


def _why_not(correction: Correction, gateway: Gateway, look: Look, *, was_there: bool) -> str:
    digests, now = look.digests, look.now
    if correction.state == State.LIFTING:
        return why_not_gone(correction, gateway, digests=digests, now=now, was_there=was_there)
    missing = why_not_in_force(correction, gateway, digests=digests, now=now)
    return missing or _why_not_tight(correction, gateway, look)


def _why_not_tight(correction: Correction, gateway: Gateway, look: Look) -> str:
    """Before it counts as in force, no matching request may have been let through; later that is an alarm."""
    at = look.let_through.get(correction.policy_id, {}).get(gateway.name)
    if at is None or correction.state in VERIFIED:
        return ""
    return f"let a matching request through at {at:%H:%M:%S} UTC"


def _note(
    row: CorrectionGateway, correction: Correction, gateway: Gateway, why_not: str, *, now: datetime
) -> bool:
    """Note what the gateway shows; tell whether it differs from what was kept before."""
    before = _facts(row)
    seen = observed(correction, gateway) or {}
    acknowledged = gateway.unobserved and not why_not
    row.state = "acknowledged" if acknowledged else seen.get("state", "")
    row.verified = not why_not and not acknowledged and correction.state != State.LIFTING
    row.verified_once |= row.verified
    row.refused = max(0, min(seen.get("refused", row.refused), BIGGEST))
    row.detail = why_not
    row.probes = seen.get("probes", row.probes)
    row.checked_at = datetime.fromisoformat(seen["checked_at"]) if "checked_at" in seen else row.checked_at
    row.wrong_since = (row.wrong_since or now) if why_not else None
    return not row.pk or _facts(row) != before


def _facts(row: CorrectionGateway) -> tuple[object, ...]:
    return row.state, row.verified, row.refused, row.detail, row.probes, row.wrong_since


def _needs_settling(correction: Correction, findings: list[Finding], *, now: datetime) -> bool:
    """Ask without a lock whether there may be anything to do; nearly always there is not."""
    if correction.state in VERIFIED:
        return bool(_drift(findings, now=now)) != (correction.drifted_at is not None)
    return _agreed(findings) or (_overdue(correction, now=now) and correction.state != State.FAILED)


def _settle_alone(seen: Correction, findings: list[Finding], *, now: datetime) -> None:
    """What goes wrong with one correction keeps no other one from being settled."""
    try:
        _settle(seen, findings, now=now)
    except (DataError, IntegrityError) as error:
        log.warning("correction_not_settled", correction=seen.pk, error=str(error))


@transaction.atomic
def _settle(seen: Correction, findings: list[Finding], *, now: datetime) -> None:
    """Move the correction where the findings lead, if it still stands where they were made."""
    correction = held(seen.pk)
    if (correction.state, correction.policy_version) == (seen.state, seen.policy_version):
        _SETTLERS[State(correction.state)](correction, findings, now)


def _settle_enforcing(correction: Correction, findings: list[Finding], now: datetime) -> None:
    if _agreed(findings):
        activate(correction, now=now)
    elif correction.state == State.ENFORCING and _overdue(correction, now=now):
        fail(correction, because=_reasons(findings), now=now)


def _settle_verified(correction: Correction, findings: list[Finding], now: datetime) -> None:
    drift = _drift(findings, now=now)
    if drift and correction.drifted_at is None:
        drifted(correction, because=drift, now=now)
    elif not drift and correction.drifted_at is not None:
        recovered(correction, now=now)


def _settle_lifting(correction: Correction, findings: list[Finding], now: datetime) -> None:
    if _agreed(findings):
        finish_lifting(correction, now=now)
    elif correction.alarmed_at is None and _overdue(correction, now=now):
        alarm_overdue(correction, because=_reasons(findings), now=now)


def _overdue(correction: Correction, *, now: datetime) -> bool:
    return correction.execute_by is not None and correction.execute_by <= now


def _agreed(findings: list[Finding]) -> bool:
    """Every gateway has shown it, and there is at least one to show it."""
    return bool(findings) and not any(finding.why_not for finding in findings)


def _drift(findings: list[Finding], *, now: datetime) -> str:
    """Give what has been wrong for longer than an update takes to settle."""
    lasting = [each for each in findings if each.why_not and each.since and now - each.since >= GRACE]
    silent = [each for each in findings if each.why_not and each.gateway.is_silent(now=now)]
    wrong = [each for each in findings if each in lasting or each in silent]
    return _reasons(wrong) if wrong or not findings else ""


def _reasons(findings: list[Finding]) -> str:
    if not findings:
        return "No gateway has ever reported."
    return "; ".join(f"{each.gateway} {each.why_not}" for each in findings if each.why_not)


_SETTLERS = {
    State.ENFORCING: _settle_enforcing,
    State.FAILED: _settle_enforcing,
    State.ACTIVE: _settle_verified,
    State.PERMANENT: _settle_verified,
    State.LIFTING: _settle_lifting,
}
