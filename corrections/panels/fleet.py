"""The page of the gateways: what is wanted, delivered, acknowledged and observed, in one picture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from corrections import policies
from corrections.models import Gateway, PolicyVersion
from corrections.panels import cells
from corrections.panels.asking import why_not
from corrections.panels.cells import Cell, Step
from corrections.panels.words import summary
from corrections.selectors.truth import CorrectionTruth, GatewayTruth, HubStanding, Lagging, Truth, truth
from corrections.states import State
from corrections.terms import Terms

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from corrections.models import Correction, Hub
    from irapp.accounts.models import User

HUB_QUIET = timedelta(seconds=15)
"""The hubs are asked every two seconds; after this long an answer is missing."""
UNDERWAY = frozenset({State.ENFORCING, State.LIFTING})
_KINDS = {"envoy": "", "webhook": "by webhook", "adapter": "adapter"}


@dataclass(frozen=True)
class HubRow:
    """One enforcement service, as last heard."""

    hub: Hub
    state: str
    detail: str
    since: datetime | None


@dataclass(frozen=True)
class GatewayRow:
    """One gateway as it stands."""

    gateway: Gateway
    state: str
    kind: str
    wanted: int
    acknowledged: Cell
    observed: Cell
    limits: list[str]
    why: str
    since: datetime | None
    cannot_retire: str


@dataclass(frozen=True)
class RetiredRow:
    """One gateway that is not waited for any more.

    :param reports: something is heard of it all the same.
    """

    gateway: Gateway
    reports: bool
    cannot_take_up: str


@dataclass(frozen=True)
class CorrectionRow:
    """One correction, counted over everything that has to carry it out."""

    correction: Correction
    summary: str
    wanted: Cell
    delivered: Cell
    acknowledged: Cell
    observed: Cell
    limits: list[str]
    lagging: tuple[Lagging, ...]
    more_lagging: int


@dataclass(frozen=True)
class Fleet:
    """Everything that the page prints."""

    policy: PolicyVersion | None
    verdict: Cell
    steps: list[Step]
    hubs: list[HubRow]
    gateways: list[GatewayRow]
    corrections: list[CorrectionRow]
    retired: list[RetiredRow]


def fleet(user: User) -> Fleet:
    """Collect the page for this reader."""
    now = timezone.now()
    seen = truth(user, now=now)
    hubs = [_hub(each, now=now) for each in seen.hubs]
    return Fleet(
        policy=seen.policy,
        verdict=_verdict(seen, hubs),
        steps=_steps(seen, hubs),
        hubs=hubs,
        gateways=[_gateway(each, user, now=now) for each in seen.gateways],
        corrections=[correction_row(each) for each in sorted(seen.corrections, key=_trouble_first)],
        retired=[_retired(each, user, now=now) for each in _gone()],
    )


def correction_row(each: CorrectionTruth) -> CorrectionRow:
    """Put one correction into cells."""
    correction, underway = each.correction, each.correction.state in UNDERWAY
    what = "gone" if correction.state == State.LIFTING else "dry run" if _is_dry(correction) else "in force"
    return CorrectionRow(
        correction=correction,
        summary=summary(Terms.of(correction)),
        wanted=Cell(what, "neutral", "", f"from policy {each.wanted}" if each.wanted else ""),
        delivered=cells.share(each.delivered, each.hubs, underway=underway),
        acknowledged=cells.share(each.acknowledged, each.gateways, underway=underway),
        observed=cells.correction_observed(each, underway=underway),
        limits=cells.limits(each.basis),
        lagging=each.lagging,
        more_lagging=each.more_lagging,
    )


def _trouble_first(each: CorrectionTruth) -> tuple[bool, int]:
    return each.settled, -each.correction.pk


def _is_dry(correction: Correction) -> bool:
    return correction.mode == "shadow"


def _verdict(seen: Truth, hubs: list[HubRow]) -> Cell:
    """Say in one sentence whether all is as decided."""
    expected = [each for each in seen.gateways if each.gateway.required]
    if not expected:
        return cells.late("No gateway has ever reported: nothing can be verified.")
    off = [each.gateway.name for each in expected if each.why]
    silent = [row.hub.url for row in hubs if row.state != "LIVE"]
    lagging = [str(each.correction) for each in seen.corrections if each.lagging]
    if off or silent or lagging:
        parts = [_of(off, "gateway"), _of(silent, "enforcement service"), _of(lagging, "correction")]
        return cells.wrong(f"Not as decided: {'; '.join(part for part in parts if part)}.")
    policy = f"policy {seen.policy.version}" if seen.policy else "no policy yet"
    gateways = cells.count(len(expected), "gateway")
    shown = cells.count(len(seen.corrections), "correction")
    return cells.well(f"All as decided: {gateways} on {policy}, {shown} shown.")


def _of(names: list[str], what: str) -> str:
    """Name some, count the rest."""
    if not names:
        return ""
    shown = ", ".join(names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""  # noqa: PLR2004 - three are named
    return f"{what}{'s' if len(names) > 1 else ''} {shown}{more}"


def _steps(seen: Truth, hubs: list[HubRow]) -> list[Step]:
    expected = [each for each in seen.gateways if each.gateway.required]
    wanted = seen.policy.version if seen.policy else 0
    has = sum(each.acknowledged == wanted and not each.silent for each in expected)
    runs = [each for each in expected if not each.gateway.unobserved]
    shows = sum(cells.observed(each).tone == "ok" for each in runs)
    asked, right = sum(each.probes for each in runs), sum(each.probes_ok for each in runs)
    current = sum(each.holds == wanted and not each.why for each in seen.hubs)
    published = f"{seen.policy.created_at:%d %b %H:%M:%S} UTC" if seen.policy else "nothing published"
    return [
        Step("Wanted", cells.well(f"policy {wanted}", published) if wanted else cells.unknown("no policy")),
        Step("Delivered", cells.share(current, len(hubs), "enforcement services")),
        Step("Acknowledged", cells.share(has, len(expected), "gateways")),
        Step("Observed", cells.share(shows, len(runs), cells.probes(right, asked))),
    ]


def _gone() -> QuerySet[Gateway]:
    return Gateway.objects.exclude(retired_at=None).defer("report").select_related("retired_by")


def _retired(gateway: Gateway, user: User, *, now: datetime) -> RetiredRow:
    cannot = why_not(policies.check_can_take_up, gateway, user, now=now)
    return RetiredRow(gateway, gateway.reports_again(now=now), cannot)


def _hub(each: HubStanding, *, now: datetime) -> HubRow:
    hub = each.hub
    if hub.conflict_at is not None:
        return HubRow(hub, "FAILED", each.why, each.since)
    if hub.error or hub.seen_at is None or now - hub.seen_at > HUB_QUIET:
        return HubRow(hub, "SILENT", hub.error or "no answer lately", hub.error_since or hub.seen_at)
    return HubRow(hub, "STALE" if each.why else "LIVE", each.why, each.since)


def _gateway(each: GatewayTruth, user: User, *, now: datetime) -> GatewayRow:
    gateway = each.gateway
    return GatewayRow(
        gateway=gateway,
        state="SILENT" if each.silent else "STALE" if each.why else "LIVE",
        kind=_KINDS[gateway.kind] + ("" if gateway.required else " (not waited for)"),
        wanted=each.wanted,
        acknowledged=cells.acknowledged(each),
        observed=cells.observed(each),
        limits=cells.limits(each.limits),
        why=each.why,
        since=each.since,
        cannot_retire=why_not(policies.check_can_retire, gateway, user, now=now),
    )
