"""Whether what a gateway says proves that a correction is in force there, or gone. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from corrections.models import Correction, Gateway


def why_not_in_force(
    correction: Correction, gateway: Gateway, *, digests: Mapping[int, str], now: datetime
) -> str:
    """Give what is missing before this gateway counts; empty when it has shown the correction in force.

    A gateway that nobody can observe counts when it has acknowledged the policy.
    """
    reason = _why_not_acknowledged(correction, gateway, digests=digests, now=now)
    if reason or gateway.unobserved:
        return reason
    seen = observed(correction, gateway)
    if seen is None:
        return "does not carry it"
    expected = "shadow" if correction.mode == "shadow" else "in_force"
    if seen["state"] != expected:
        return f"reports {seen['state'].replace('_', ' ')}" + (
            f": {seen['detail']}" if seen["detail"] else ""
        )
    if not seen["verified"]:
        return _probes("is not verified", seen)
    return ""


def why_not_gone(
    correction: Correction,
    gateway: Gateway,
    *,
    digests: Mapping[int, str],
    now: datetime,
    was_there: bool,
) -> str:
    """Give what is missing before this gateway counts; empty when it has shown the correction gone.

    :param was_there: the gateway had once shown it in force, so its probes have something to compare.
    """
    reason = _why_not_acknowledged(correction, gateway, digests=digests, now=now)
    if reason or gateway.unobserved:
        return reason
    if observed(correction, gateway) is not None:
        return "still carries it"
    lifted = (gateway.report or {}).get("lifted", {}).get(correction.policy_id)
    if lifted is not None:
        return "" if lifted["verified"] else _probes("has not shown it gone", lifted)
    # Only the newest policy's removals are probed, and only where there was something to remove.
    overtaken = (gateway.policy_version or 0) > (correction.policy_version or 0)
    if overtaken or not was_there or correction.mode == "shadow":
        return ""
    return "has not probed that it is gone"


def observed(correction: Correction, gateway: Gateway) -> dict[str, Any] | None:
    """Give the gateway's own word about the correction."""
    said: dict[str, Any] | None = (gateway.report or {}).get("corrections", {}).get(correction.policy_id)
    return said


def counts_up_to(gateway: Gateway, *, digests: Mapping[int, str], now: datetime) -> int:
    """Give the newest policy that this gateway's word counts for; negative where it counts for none."""
    wrong = _why_not_heard(gateway, 0, digests=digests, now=now)
    return -1 if wrong else gateway.policy_version or 0


def _why_not_acknowledged(
    correction: Correction, gateway: Gateway, *, digests: Mapping[int, str], now: datetime
) -> str:
    return _why_not_heard(gateway, correction.policy_version or 0, digests=digests, now=now)


def _why_not_heard(gateway: Gateway, needs: int, *, digests: Mapping[int, str], now: datetime) -> str:
    if gateway.is_silent(now=now):
        return "is silent"
    if (gateway.policy_version or 0) < needs:
        return f"has policy {gateway.policy_version or 'none'}, needs {needs}"
    if digests.get(gateway.policy_version or 0) != gateway.policy_digest:
        return f"acknowledges a policy {gateway.policy_version} that was never published"
    if not gateway.live:
        return _unreachable(gateway)
    if gateway.rejected:
        return (
            f"its Envoy rejected an update: {gateway.error}"
            if gateway.error
            else "its Envoy rejected an update"
        )
    return ""


def _unreachable(gateway: Gateway) -> str:
    if gateway.kind == gateway.Kind.WEBHOOK:
        return f"its last delivery failed: {gateway.error}" if gateway.error else "does not answer"
    return "its Envoy does not answer" if gateway.kind == gateway.Kind.ENVOY else "does not answer"


def _probes(what: str, seen: dict[str, Any]) -> str:
    wrong = [probe for probe in seen["probes"] if not probe["ok"]]
    if not wrong:
        return what
    first = wrong[0]
    went = f"{first['subject']} at {first['endpoint']} gave {first['status']}"
    return f"{what}: {went}, expected to {first['expect']}"
