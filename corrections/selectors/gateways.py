"""What is wanted, delivered, acknowledged and observed, per gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import FilteredRelation, OuterRef, Q, Subquery

from corrections.models import CorrectionGateway, Gateway, PolicyVersion
from corrections.publishing.readback import observed, why_not_gone, why_not_in_force
from corrections.states import IN_POLICY, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corrections.models import Correction


@dataclass(frozen=True)
class GatewayStanding:
    """One gateway as pages show it.

    :param behind: versions between what it acknowledges and the newest policy.
    :param problems: what an operator should know; empty when all is well.
    """

    gateway: Gateway
    silent: bool
    behind: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Enforcement:
    """One correction at one gateway.

    :param why_not: what is missing before the gateway counts; empty when it agrees.
    :param checked_at: when it was probed there last.
    """

    gateway: Gateway
    row: CorrectionGateway | None
    why_not: str
    checked_at: datetime | None


def gateways(*, now: datetime) -> list[GatewayStanding]:
    """Give every gateway that is in service."""
    newest = PolicyVersion.objects.only("version").first()
    version = newest.version if newest else 0
    return [_standing(gateway, version, now=now) for gateway in Gateway.objects.shown()]


def enforcement(correction: Correction, *, now: datetime) -> list[Enforcement]:
    """Give the correction as each gateway shows it."""
    here = FilteredRelation("corrections", condition=Q(corrections__correction=correction))
    same = PolicyVersion.objects.filter(version=OuterRef("policy_version")).values("digest")
    every = Gateway.objects.shown().annotate(here=here, published=Subquery(same))
    every = every.select_related("here")  # type: ignore[misc]  # the stubs know no filtered relation
    return [_enforcement(correction, gateway, **_joined(gateway), now=now) for gateway in every]


def _joined(gateway: Gateway) -> dict[str, Any]:
    """Give what was read with the gateway: its row of the correction, and its policy as it was published."""
    found = vars(gateway)
    return {"row": found.get("here"), "digests": {gateway.policy_version: found["published"]}}


def _enforcement(
    correction: Correction,
    gateway: Gateway,
    *,
    row: CorrectionGateway | None,
    digests: dict[int, str],
    now: datetime,
) -> Enforcement:
    why_not = _why_not(correction, gateway, row, digests, now)
    return Enforcement(gateway, row, why_not, _checked_at(correction, gateway, row))


def _checked_at(correction: Correction, gateway: Gateway, row: CorrectionGateway | None) -> datetime | None:
    """Give the gateway's own word: its row is written only when something else changes."""
    if said := (observed(correction, gateway) or {}).get("checked_at"):
        return datetime.fromisoformat(said)
    return row.checked_at if row else None


def published(every: Iterable[Gateway]) -> dict[int, str]:
    """Give the digests of the policies that these gateways acknowledge, as they were published."""
    versions = {gateway.policy_version for gateway in every if gateway.policy_version}
    return dict(PolicyVersion.objects.filter(version__in=versions).values_list("version", "digest"))


def _why_not(
    correction: Correction,
    gateway: Gateway,
    row: CorrectionGateway | None,
    digests: dict[int, str],
    now: datetime,
) -> str:
    if correction.state in IN_POLICY:
        return why_not_in_force(correction, gateway, digests=digests, now=now)
    if correction.state == State.LIFTING:
        was_there = row is not None and row.verified_once
        return why_not_gone(correction, gateway, digests=digests, now=now, was_there=was_there)
    return "" if observed(correction, gateway) is None else "still carries it"


def _standing(gateway: Gateway, newest: int, *, now: datetime) -> GatewayStanding:
    silent = gateway.is_silent(now=now)
    behind = max(newest - (gateway.policy_version or 0), 0)
    said = (gateway.report or {}).get("problems", [])
    problems = [
        *(["Nothing was heard of it lately."] if silent else []),
        *([] if gateway.live else [_unreachable(gateway)]),
        *([f"Envoy rejected an update: {gateway.error}"] if gateway.rejected else []),
        *(problem["detail"] for problem in said),
    ]
    return GatewayStanding(gateway, silent, behind, tuple(problems))


def _unreachable(gateway: Gateway) -> str:
    if gateway.kind == Gateway.Kind.ENVOY:
        return "Its Envoy does not answer."
    return f"Its last delivery failed: {gateway.error}" if gateway.error else "It does not answer."
