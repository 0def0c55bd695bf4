"""Proof, gateway by gateway: what was acknowledged, probed and refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from corrections import selectors
from corrections.models import Hub
from corrections.panels import cells
from corrections.panels.cells import BASIS, Step
from corrections.states import IN_POLICY, State

if TYPE_CHECKING:
    from datetime import datetime

    from corrections.models import Correction, CorrectionGateway, Gateway
    from corrections.selectors.gateways import Enforcement

EXPECTED = {
    "refuse": "refused",
    "pass": "let through",
    "limit": "limited after the last allowed one",
    "cap": "answered, but no longer than the cap",
    "reroute": "answered by the fallback",
}
SUBJECTS = {"inside": "somebody in the scope", "beside": "somebody beside it"}


@dataclass(frozen=True)
class Probe:
    """One probe in words."""

    ok: bool
    text: str


@dataclass(frozen=True)
class Proof:
    """One correction at one gateway; ``lacking`` is the version it should have and has not.

    :param basis: by what its limit is counted there, if it has one.
    :param since: since when something is missing there.
    """

    name: str
    pk: int
    state: str
    seen_at: datetime | None
    agrees: bool
    version: int | None
    lacking: int | None
    digest: str
    envoy: str
    probes_ok: int
    probes_total: int
    refused: int
    checked_at: datetime | None
    probes: list[Probe]
    detail: str
    basis: str
    since: datetime | None
    counts: bool
    observable: bool


def proofs(correction: Correction) -> list[Proof]:
    """Give the proof of every gateway that counts."""
    found = selectors.enforcement(correction, now=timezone.now())
    return [_proof(correction, each) for each in found]


def steps(correction: Correction, shown: list[Proof]) -> list[Step]:
    """Lead from the decision to its effect: wanted, delivered, acknowledged, observed."""
    if not shown or correction.policy_version is None:
        return []
    underway = correction.state in {State.ENFORCING, State.LIFTING}
    held = [version or 0 for version in Hub.objects.values_list("policy_version", flat=True)]
    delivered = sum(version >= correction.policy_version for version in held)
    waited = [proof for proof in shown if proof.counts]
    seen = [proof for proof in waited if proof.observable]
    asked, right = sum(proof.probes_total for proof in seen), sum(proof.probes_ok for proof in seen)
    has = sum(proof.lacking is None for proof in waited)
    agree, probed = sum(proof.agrees for proof in seen), cells.probes(right, asked)
    gone = correction.state not in IN_POLICY
    return [
        Step(
            "Wanted", cells.well("gone" if gone else "in force", f"from policy {correction.policy_version}")
        ),
        Step("Delivered", cells.share(delivered, len(held), "enforcement services", underway=underway)),
        Step("Acknowledged", cells.share(has, len(waited), "gateways", underway=underway)),
        Step("Observed", cells.share(agree, len(seen), probed, underway=underway)),
    ]


def _proof(correction: Correction, each: Enforcement) -> Proof:
    row, gateway = each.row, each.gateway
    probes = [_probe(probe) for probe in row.probes] if row else []
    envoy = (gateway.report or {}).get("envoy", {})
    return Proof(
        name=gateway.name,
        pk=gateway.pk,
        state=_state(correction, each),
        seen_at=gateway.seen_at,
        agrees=not each.why_not,
        version=gateway.policy_version,
        lacking=_lacking(correction, gateway),
        digest=gateway.policy_digest,
        envoy=envoy.get("version", "").partition("-")[0],  # the digest stands beside it
        probes_ok=sum(probe.ok for probe in probes),
        probes_total=len(probes),
        refused=row.refused if row else 0,
        checked_at=each.checked_at,
        probes=probes,
        detail=_detail(row, each.why_not),
        basis=BASIS.get((gateway.report or {}).get("limits", {}).get(correction.policy_id, ""), ""),
        since=row.wrong_since if row and each.why_not else None,
        counts=gateway.required,
        observable=not gateway.unobserved,
    )


def _lacking(correction: Correction, gateway: Gateway) -> int | None:
    wanted = correction.policy_version
    return wanted if wanted is not None and (gateway.policy_version or 0) < wanted else None


def _state(correction: Correction, each: Enforcement) -> str:
    if correction.state not in {*IN_POLICY, State.LIFTING, State.LIFTED}:
        return "UNVERIFIED" if each.why_not else "LIFTED"
    if each.why_not:
        silent = each.gateway.is_silent(now=timezone.now())
        return "SILENT" if silent else "UNVERIFIED"
    return "VERIFIED" if correction.state in IN_POLICY else "LIFTED"


def _detail(row: CorrectionGateway | None, why_not: str) -> str:
    """Say what is missing, and what was noted of it before, if that is something else."""
    said = row.detail if row and row.detail != why_not else ""
    return ". ".join(part[:1].upper() + part[1:].rstrip(".") for part in (why_not, said) if part)


def _probe(probe: dict[str, Any]) -> Probe:
    who, expected = (
        SUBJECTS.get(probe["subject"], probe["subject"]),
        EXPECTED.get(probe["expect"], probe["expect"]),
    )
    detail = f" ({probe['detail']})" if probe.get("detail") else ""
    return Probe(
        bool(probe["ok"]), f"{probe['endpoint']}, {who}: should be {expected}, got {probe['status']}{detail}"
    )
