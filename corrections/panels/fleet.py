"""The page of the gateways: what is wanted, what the hubs hold, what each gateway makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from corrections import policies, selectors
from corrections.models import Correction, CorrectionGateway, Gateway, Hub, PolicyVersion
from corrections.panels.asking import why_not
from corrections.panels.words import summary
from corrections.states import IN_POLICY, State
from corrections.terms import Terms

if TYPE_CHECKING:
    from datetime import datetime

    from corrections.selectors.gateways import GatewayStanding
    from irapp.accounts.models import User

HUB_QUIET = timedelta(seconds=15)
"""The hubs are asked every three seconds; after this long an answer is missing."""


@dataclass(frozen=True)
class HubRow:
    """One enforcement service, as last heard."""

    hub: Hub
    state: str
    detail: str


@dataclass(frozen=True)
class GatewayRow:
    """One gateway as it stands."""

    gateway: Gateway
    state: str
    behind: int
    envoy: str
    agent: str
    problems: tuple[str, ...]
    cannot_retire: str


@dataclass(frozen=True)
class Shown:
    """One correction, and how many gateways have shown it."""

    correction: Correction
    summary: str
    verified: list[str]
    missing: list[str]


@dataclass(frozen=True)
class Fleet:
    """Everything that the page prints."""

    policy: PolicyVersion | None
    hubs: list[HubRow]
    gateways: list[GatewayRow]
    corrections: list[Shown]
    retired: list[Gateway]
    alarms: list[str]


def fleet(user: User) -> Fleet:
    """Collect the page for this reader."""
    now = timezone.now()
    policy = PolicyVersion.objects.defer("content", "raw").first()
    rows = [_row(each, user, now=now) for each in selectors.gateways(now=now)]
    hubs = [_hub(hub, policy, now=now) for hub in Hub.objects.all()]
    retired = list(Gateway.objects.exclude(retired_at=None).select_related("retired_by"))
    shown = _shown(user, [row.gateway for row in rows])
    return Fleet(policy, hubs, rows, shown, retired, [*_alarms(hubs, rows), *_drifted(shown)])


def _row(each: GatewayStanding, user: User, *, now: datetime) -> GatewayRow:
    report = each.gateway.report or {}
    return GatewayRow(
        gateway=each.gateway,
        state="SILENT" if each.silent else "STALE" if each.behind or each.problems else "LIVE",
        behind=each.behind,
        envoy=report.get("envoy", {}).get("version", "").partition("-")[0],
        agent=report.get("agent_version", ""),
        problems=each.problems,
        cannot_retire=why_not(policies.check_can_retire, each.gateway, user, now=now),
    )


def _hub(hub: Hub, policy: PolicyVersion | None, *, now: datetime) -> HubRow:
    if hub.conflict_at is not None:
        return HubRow(hub, "FAILED", "It holds a policy that was never published here.")
    if hub.error:
        return HubRow(hub, "SILENT", hub.error)
    if hub.seen_at is None or now - hub.seen_at > HUB_QUIET:
        return HubRow(hub, "SILENT", "No answer lately.")
    if policy is not None and hub.policy_digest != policy.digest:
        return HubRow(
            hub, "STALE", f"It holds version {hub.policy_version or 'none'}, wanted is {policy.version}."
        )
    return HubRow(hub, "LIVE", "")


def _shown(user: User, gateways: list[Gateway]) -> list[Shown]:
    """Tell for each correction that is wanted which gateways have shown it."""
    wanted = Correction.objects.visible_to(user).filter(state__in=[*IN_POLICY, State.LIFTING])
    corrections = list(wanted.select_related("package__incident")[:200])
    rows = CorrectionGateway.objects.filter(correction__in=corrections, verified=True)
    verified = set(rows.values_list("correction_id", "gateway_id"))
    return [
        Shown(
            correction,
            summary(Terms.of(correction)),
            [gateway.name for gateway in gateways if (correction.pk, gateway.pk) in verified],
            [gateway.name for gateway in gateways if (correction.pk, gateway.pk) not in verified],
        )
        for correction in corrections
    ]


def _alarms(hubs: list[HubRow], rows: list[GatewayRow]) -> list[str]:
    """What should not be overlooked, the reach of it first."""
    silent = [row.gateway.name for row in rows if row.state == "SILENT"]
    conflicts = [row.hub.url for row in hubs if row.hub.conflict_at]
    unheard = [row.hub.url for row in hubs if row.state == "SILENT"]
    return [
        *(
            [f"Nothing is heard of {', '.join(silent)}. What they enforced last stays in force."]
            if silent
            else []
        ),
        *([f"{', '.join(conflicts)} holds a policy that was never published here."] if conflicts else []),
        *(
            [f"The enforcement service {', '.join(unheard)} does not answer; changes wait."]
            if unheard
            else []
        ),
        *(["No gateway has ever reported: nothing can be verified."] if not rows else []),
    ]


def _drifted(shown: list[Shown]) -> list[str]:
    return [f"{each.correction} drifted: {each.correction.drift}" for each in shown if each.correction.drift]
