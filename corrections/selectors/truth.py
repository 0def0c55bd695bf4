"""What is wanted, delivered, acknowledged and observed: of the policy, of each gateway, of each correction.

Read from what the last look wrote down, in a fixed number of questions however many gateways there are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Func, IntegerField, Q, Sum
from django.db.models.fields.json import KT

from corrections.models import Correction, CorrectionGateway, Gateway, Hub, PolicyVersion
from corrections.states import IN_POLICY, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from django.db.models import QuerySet

    from irapp.accounts.models import User

MOST = 200
"""Corrections in one picture; more of them in force at once are not read by anybody."""
NAMED = 5
"""Gateways that are named where something is missing; the rest are counted."""
LONGEST = 16
"""Digits of a version, at most: what is longer names none."""
BASES = ("closed", "gateway", "global")
"""How a limit counts, the one that an operator has to know of first."""


@dataclass(frozen=True)
class HubStanding:
    """One enforcement service: what it holds, and why that is not what is wanted."""

    hub: Hub
    holds: int | None
    why: str
    since: datetime | None


@dataclass(frozen=True)
class GatewayTruth:
    """One gateway: the version it acknowledges, the one its proxy runs, and what is behind since when."""

    gateway: Gateway
    wanted: int
    acknowledged: int | None
    observed: int | None
    probes_ok: int
    probes: int
    silent: bool
    why: str
    since: datetime | None
    limits: Mapping[str, int]


@dataclass(frozen=True)
class Lagging:
    """A gateway that does not show a correction as it should be, and since when."""

    gateway: str
    why: str
    since: datetime | None


@dataclass(frozen=True)
class CorrectionTruth:
    """One correction, counted over hubs and gateways.

    :param basis: how many gateways count its limit globally, by themselves, or refuse all of it.
    """

    correction: Correction
    wanted: int | None
    hubs: int
    delivered: int
    gateways: int
    acknowledged: int
    observed: int
    unobserved: int
    probes_ok: int
    probes: int
    basis: Mapping[str, int]
    lagging: tuple[Lagging, ...]
    more_lagging: int

    @property
    def settled(self) -> bool:
        """Whether every gateway shows what is wanted."""
        return not self.lagging and self.gateways > 0


@dataclass(frozen=True)
class Truth:
    """The whole picture of one moment."""

    policy: PolicyVersion | None
    hubs: tuple[HubStanding, ...]
    gateways: tuple[GatewayTruth, ...]
    corrections: tuple[CorrectionTruth, ...]


class _Right(Func):
    """How many probes came out right."""

    template = "jsonb_array_length(jsonb_path_query_array(%(expressions)s, '$[*] ? (@.ok == true)'))"
    output_field = IntegerField()


class _All(Func):
    function = "jsonb_array_length"
    output_field = IntegerField()


def truth(user: User, *, now: datetime) -> Truth:
    """Draw the picture for this reader."""
    policy = PolicyVersion.objects.defer("content", "raw").first()
    hubs = tuple(_hub(hub, policy) for hub in Hub.objects.all())
    gateways = list(_with_report(Gateway.objects.shown()))
    shown = Correction.objects.visible_to(user).filter(state__in=[*IN_POLICY, State.LIFTING])
    corrections = list(shown.select_related("package__incident")[:MOST])
    return Truth(
        policy,
        hubs,
        tuple(_gateways(gateways, policy, now=now)),
        tuple(_corrections(corrections, hubs, gateways)),
    )


def truth_of(correction: Correction) -> CorrectionTruth:
    """Draw the line of one correction."""
    policy = PolicyVersion.objects.defer("content", "raw").first()
    hubs = tuple(_hub(hub, policy) for hub in Hub.objects.all())
    (found,) = _corrections([correction], hubs, list(_with_report(Gateway.objects.shown())))
    return found


def _with_report(gateways: QuerySet[Gateway]) -> QuerySet[Gateway]:
    """Read of the reports only what is shown here: they hold every correction and grow with them."""
    facts = {"said_limits": F("report__limits"), "said_problems": F("report__problems")}
    return gateways.defer("report").annotate(**facts, envoy=KT("report__envoy__version"))


def _hub(hub: Hub, policy: PolicyVersion | None) -> HubStanding:
    if hub.conflict_at is not None:
        why, since = "holds a policy that was never published here", hub.conflict_at
        return HubStanding(hub, hub.policy_version, why, since)
    if hub.error:
        return HubStanding(hub, hub.policy_version, hub.error, hub.error_since)
    if policy is not None and hub.policy_digest != policy.digest:
        has = f"policy {hub.policy_version}" if hub.policy_version else "no policy"
        return HubStanding(hub, hub.policy_version, f"holds {has}", policy.created_at)
    return HubStanding(hub, hub.policy_version, "", None)


def _gateways(
    gateways: list[Gateway], policy: PolicyVersion | None, *, now: datetime
) -> Iterable[GatewayTruth]:
    probes = _probes_by("gateway_id", gateway__in=gateways)
    versions = {gateway.policy_version or 0 for gateway in gateways}
    published = dict(PolicyVersion.objects.filter(version__in=versions).values_list("version", "digest"))
    overtaken = _overtaken(versions)
    for gateway in gateways:
        ours = published.get(gateway.policy_version or 0) == gateway.policy_digest
        why, since = _behind(gateway, policy, ours=ours, overtaken=overtaken, now=now)
        right, asked = probes.get(gateway.pk, (0, 0))
        said = vars(gateway)
        yield GatewayTruth(
            gateway=gateway,
            wanted=policy.version if policy else 0,
            acknowledged=gateway.policy_version,
            observed=_runs(said["envoy"]),
            probes_ok=right,
            probes=asked,
            silent=gateway.is_silent(now=now),
            why=why,
            since=since,
            limits=Counter((said["said_limits"] or {}).values()),
        )


def _overtaken(versions: set[int]) -> dict[int, datetime]:
    """Give for each version when the next one was published: since then whoever has it is behind."""
    found = {}
    for version in versions:
        later = PolicyVersion.objects.filter(version__gt=version).order_by("version")
        at = later.values_list("created_at", flat=True).first()
        if at is not None:
            found[version] = at
    return found


def _behind(
    gateway: Gateway,
    policy: PolicyVersion | None,
    *,
    ours: bool,
    overtaken: Mapping[int, datetime],
    now: datetime,
) -> tuple[str, datetime | None]:
    """Give what keeps the gateway from what is wanted, the first cause first, and since when."""
    version = gateway.policy_version or 0
    if gateway.is_silent(now=now):
        return "is silent", gateway.seen_at or gateway.registered_at
    if version and not ours:
        return f"acknowledges a policy {version} that was never published", gateway.seen_at
    if policy is not None and version < policy.version:
        has = f"policy {version}" if version else "no policy"
        return f"has {has}, needs {policy.version}", overtaken.get(version)
    if not gateway.live:
        return "does not answer", gateway.seen_at
    if gateway.rejected:
        return f"rejected an update: {gateway.error}" if gateway.error else "rejected an update", None
    problems = vars(gateway)["said_problems"] or []
    return ("; ".join(problem["detail"] for problem in problems), None) if problems else ("", None)


def _runs(version: str | None) -> int | None:
    """Give the policy that the proxy itself says it runs: ``12-3f9a…``."""
    number = (version or "").partition("-")[0]
    return int(number) if number.isdecimal() and len(number) <= LONGEST else None


def _corrections(
    corrections: list[Correction], hubs: tuple[HubStanding, ...], gateways: list[Gateway]
) -> Iterable[CorrectionTruth]:
    expected = [gateway for gateway in gateways if gateway.required]
    held = sorted(each.holds or 0 for each in hubs)
    has = sorted(gateway.policy_version or 0 for gateway in expected)
    rows = CorrectionGateway.objects.filter(correction__in=corrections, gateway__in=expected)
    verified = dict(rows.order_by().values_list("correction_id").annotate(count=Count("pk", filter=_shows())))
    probes = _probes_by("correction_id", correction__in=corrections, gateway__in=expected)
    missing = _missing(rows)
    for each in corrections:
        wanted = each.policy_version or 0
        found = missing.get(each.pk, [])
        right, asked = probes.get(each.pk, (0, 0))
        yield CorrectionTruth(
            correction=each,
            wanted=each.policy_version,
            hubs=len(held),
            delivered=len(held) - bisect_left(held, wanted),
            gateways=len(expected),
            acknowledged=len(has) - bisect_left(has, wanted),
            observed=verified.get(each.pk, 0),
            unobserved=sum(gateway.unobserved for gateway in expected),
            probes_ok=right,
            probes=asked,
            basis=_basis(each, expected),
            lagging=tuple(found[:NAMED]),
            more_lagging=max(len(found) - NAMED, 0),
        )


def _shows() -> Q:
    """In force where it is wanted, gone where it is being lifted."""
    return Q(detail="") & (Q(verified=True) | Q(correction__state=State.LIFTING))


def _missing(rows: QuerySet[CorrectionGateway]) -> dict[int, list[Lagging]]:
    found: dict[int, list[Lagging]] = {}
    lacking = rows.exclude(detail="").order_by("wrong_since", "gateway__name")
    facts = lacking.values_list("correction_id", "gateway__name", "detail", "wrong_since")
    for correction, gateway, why, since in facts[: MOST * NAMED * 10]:
        found.setdefault(correction, []).append(Lagging(gateway, why, since))
    return found


def _probes_by(field: str, **which: object) -> dict[int, tuple[int, int]]:
    rows = CorrectionGateway.objects.filter(**which, correction__state__in=[*IN_POLICY, State.LIFTING])
    sums = rows.order_by().values_list(field).annotate(right=Sum(_Right("probes")), asked=Sum(_All("probes")))
    return {key: (right, asked) for key, right, asked in sums}


def _basis(correction: Correction, gateways: list[Gateway]) -> dict[str, int]:
    said: list[Any] = [(vars(gateway)["said_limits"] or {}).get(correction.policy_id) for gateway in gateways]
    counts = Counter(basis for basis in said if basis)
    return {basis: counts[basis] for basis in BASES if counts[basis]}
