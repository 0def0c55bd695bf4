"""What is wrong at this moment, each cause once. Nothing here changes anything.

A fault is laid at the door where it began: while a gateway is silent, nothing is said of the corrections that
it therefore does not show; while no hub answers, nothing is said of the gateways behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q

from corrections.models import AlarmKind, Correction, CorrectionGateway, Gateway, Hub, PolicyVersion
from corrections.publishing.missed import missed
from corrections.states import IN_POLICY, VERIFIED, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

SETTLING = timedelta(seconds=3)
"""A delivery and a probe take a moment; what is wrong for longer is a fault."""
UNHEARD = timedelta(seconds=5)
"""A hub that has not answered for this long tells nothing about the gateways."""
REFUSALS_OF_AGENTS = {
    "envoy_rejected": "Envoy rejected what the policy says",
    "bad_policy": "The gateway refused the policy",
    "stale_policy": "The gateway refused the policy",
    "disk": "The policy could not be stored",
    "attachments_awaited": "The gateway waits for a list that the policy names",
    "settings": "The gateway's settings are wrong",
}
"""Problems by which an agent says that it could not take what it was given."""
DRIFTING = {
    "envoy_drift": "Somebody else changed its files",
    "envoy_down": "Its Envoy is down",
    "attachments_lost": "A list of the policy is damaged there",
    "access_log": "Its access log cannot be read: nothing is counted there",
}
"""Problems by which an agent says that its gateway may do something else than it acknowledges."""
UNTOLD = {"traffic_left_out": "The decision log is not whole"}
"""What callers may bring about by what they ask for: it hides nothing else that is wrong there."""
CLOCK = {"clock": "Its clock is wrong, so starts and ends are"}
"""It says nothing of what the gateway does otherwise, so it hides nothing else either."""
UNTAKEN = {"clock": "Its reports cannot be taken in where its clock is far from ours"}
"""Problems for which a gateway may seem to be silent."""

_WORSE = {
    AlarmKind.SILENCE: (AlarmKind.REJECTION, AlarmKind.DRIFT),
    AlarmKind.REJECTION: (AlarmKind.DRIFT,),
    AlarmKind.DRIFT: (),
}
"""What cannot be seen of a gateway while this is wrong with it."""


@dataclass(frozen=True)
class Fault:
    """One cause, what it is about, and since when."""

    kind: AlarmKind
    cause: str
    since: datetime
    detail: str
    correction_id: int | None = None
    gateway_id: int | None = None
    hub_id: int | None = None
    examples: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Seen:
    """The faults, and what nobody can judge at this moment: neither a fault nor healed.

    :param unjudged: kinds, while no hub answers.
    :param hidden: causes behind a gateway with which something worse is wrong.
    """

    faults: list[Fault]
    unjudged: frozenset[AlarmKind] = frozenset()
    hidden: frozenset[tuple[AlarmKind, str]] = frozenset()

    def judges(self, kind: AlarmKind, cause: str) -> bool:
        """Whether it can be said that this is no fault any more."""
        return kind not in self.unjudged and (kind, cause) not in self.hidden


def standing(*, now: datetime) -> Seen:
    """Look at everything once."""
    newest = PolicyVersion.objects.only("version", "digest", "created_at").first()
    hubs = list(Hub.objects.all())
    faults = [fault for hub in hubs for fault in _of_hub(hub, newest, now=now)]
    faults += [*_of_clocks(now=now), *_let_through(now=now)]
    if not any(_answers(hub, now=now) for hub in hubs):
        return Seen(faults, frozenset({AlarmKind.SILENCE, AlarmKind.DRIFT, AlarmKind.REJECTION}))
    gateways = list(Gateway.objects.expected())
    at_gateways = [fault for gateway in gateways for fault in _of_gateway(gateway, newest, now=now)]
    ill = {fault.gateway_id for fault in at_gateways if fault.gateway_id is not None}
    lasting = _lasting(now=now)
    clear = [row for row in lasting if row.gateway_id not in ill]
    hidden = {(AlarmKind.DRIFT, _cause(row.correction_id)) for row in lasting if row.gateway_id in ill}
    hidden |= {(kind, fault.cause) for fault in at_gateways for kind in _WORSE[fault.kind]}
    hidden |= {(AlarmKind.DRIFT, f"clock:{each.pk}") for each in gateways if each.is_silent(now=now)}
    for gateway in gateways:
        faults += [*_of_its_clock(gateway, now=now), *_not_told(gateway, now=now)]
    faults += [*at_gateways, *_retired(now=now), *_drifted(clear, now=now)]
    return Seen(faults, hidden=frozenset(hidden))


def _answers(hub: Hub, *, now: datetime) -> bool:
    return not hub.error and hub.seen_at is not None and now - hub.seen_at < UNHEARD


def _of_hub(hub: Hub, newest: PolicyVersion | None, *, now: datetime) -> Iterator[Fault]:
    cause = f"hub:{hub.pk}"
    if hub.conflict_at is not None:
        detail = f"It holds a policy {hub.policy_version} that was never published here."
        yield Fault(AlarmKind.CONFLICT, cause, hub.conflict_at, detail, hub_id=hub.pk)
    elif hub.error_since is not None and now - hub.error_since >= SETTLING:
        yield Fault(AlarmKind.HUB, cause, hub.error_since, hub.error, hub_id=hub.pk)
    elif newest is not None and _lags(hub, newest, now=now):
        held = f"policy {hub.policy_version}" if hub.policy_version else "no policy"
        detail = f"It holds {held}; wanted is {newest.version}."
        yield Fault(AlarmKind.HUB, cause, newest.created_at, detail, hub_id=hub.pk)


def _lags(hub: Hub, newest: PolicyVersion, *, now: datetime) -> bool:
    behind = (hub.policy_version or 0) < newest.version
    return behind and hub.seen_at is not None and now - newest.created_at >= SETTLING


def _of_gateway(gateway: Gateway, newest: PolicyVersion | None, *, now: datetime) -> Iterator[Fault]:
    """Give the one fault that explains the others of this gateway."""
    cause = f"gateway:{gateway.pk}"
    if gateway.is_silent(now=now):
        since = gateway.seen_at or gateway.registered_at
        detail = "Nothing is heard of it. What it enforced last stays in force there."
        if said := _said(gateway, UNTAKEN):
            detail = f"{detail} {said}."
        yield Fault(AlarmKind.SILENCE, cause, since, detail, gateway_id=gateway.pk)
        return
    since = gateway.seen_at or now
    if refused := _refused(gateway):
        yield Fault(AlarmKind.REJECTION, cause, since, refused, gateway_id=gateway.pk)
    elif wrong := _out_of_step(gateway, newest, now=now):
        yield Fault(AlarmKind.DRIFT, cause, wrong[0], wrong[1], gateway_id=gateway.pk)


def _of_its_clock(gateway: Gateway, *, now: datetime) -> Iterator[Fault]:
    """Give a wrong clock, beside what else is wrong; of one that is silent, its silence says so."""
    said = _said(gateway, CLOCK)
    if said and not gateway.is_silent(now=now):
        cause = f"clock:{gateway.pk}"
        yield Fault(AlarmKind.DRIFT, cause, gateway.seen_at or now, said, gateway_id=gateway.pk)


def _not_told(gateway: Gateway, *, now: datetime) -> Iterator[Fault]:
    """Give what the gateway did and could not tell; by its last word, also where it is silent now."""
    if said := _said(gateway, UNTOLD):
        cause = f"log:{gateway.pk}"
        yield Fault(AlarmKind.DRIFT, cause, gateway.seen_at or now, said, gateway_id=gateway.pk)


def _retired(*, now: datetime) -> Iterator[Fault]:
    """Give the gateways that nobody waits for any more and that report all the same."""
    for gateway in Gateway.objects.filter(seen_at__gt=F("retired_at")):
        if gateway.reports_again(now=now):
            detail = "It was retired and reports again. It does not count until it is taken up again."
            yield Fault(
                AlarmKind.DRIFT,
                f"retired:{gateway.pk}",
                gateway.seen_at or now,
                detail,
                gateway_id=gateway.pk,
            )


def _refused(gateway: Gateway) -> str:
    if gateway.rejected:
        return f"Envoy rejected an update: {gateway.error or 'it did not say why'}"
    return _said(gateway, REFUSALS_OF_AGENTS)


def _out_of_step(
    gateway: Gateway, newest: PolicyVersion | None, *, now: datetime
) -> tuple[datetime, str] | None:
    """Give since when and why the gateway as a whole does not do what is wanted, if so."""
    if said := _said(gateway, DRIFTING):
        return gateway.seen_at or now, said
    if not gateway.live:
        return gateway.seen_at or now, "Its gateway process does not answer."
    if newest is None or (gateway.policy_version, gateway.policy_digest) == (newest.version, newest.digest):
        return None
    since = _wanted_since(gateway, newest)
    if now - since < SETTLING:
        return None
    has = f"policy {gateway.policy_version}" if gateway.policy_version else "no policy"
    return since, f"It acknowledges {has}; wanted is {newest.version}."


def _wanted_since(gateway: Gateway, newest: PolicyVersion) -> datetime:
    """Since when something newer than what it acknowledges is published."""
    later = PolicyVersion.objects.filter(version__gt=gateway.policy_version or 0).order_by("version")
    since = later.values_list("created_at", flat=True).first() or newest.created_at
    return max(since, gateway.registered_at)


def _said(gateway: Gateway, known: dict[str, str]) -> str:
    """Give the first of these problems that the gateway reports, in words."""
    problems: list[dict[str, str]] = (gateway.report or {}).get("problems", [])
    said = {each["code"]: each["detail"] for each in problems}
    return next((f"{words}: {said[code]}" for code, words in known.items() if code in said), "")


def _lasting(*, now: datetime) -> list[CorrectionGateway]:
    """What had been shown once and has been wrong for a while."""
    rows = CorrectionGateway.objects.filter(
        Q(correction__state__in=VERIFIED),
        gateway__retired_at=None,
        gateway__required=True,
        wrong_since__lte=now - SETTLING,
    )
    return list(rows.select_related("gateway").order_by("wrong_since"))


def _drifted(rows: list[CorrectionGateway], *, now: datetime) -> Iterator[Fault]:
    """Corrections that had been shown, at gateways with which nothing else is wrong."""
    wrong: dict[int, list[CorrectionGateway]] = {}
    for row in rows:
        wrong.setdefault(row.correction_id, []).append(row)
    for correction_id, found in wrong.items():
        detail = "; ".join(f"{row.gateway} {row.detail}" for row in found)
        since = found[0].wrong_since or now
        yield _about(correction_id, AlarmKind.DRIFT, since, detail)


def _of_clocks(*, now: datetime) -> Iterator[Fault]:
    """What should have been shown, lifted or decided by now."""
    late = Q(state=State.FAILED) | Q(state=State.LIFTING, execute_by__lte=now)
    over = Q(expires_at__lte=now, at_expiry="hold", state__in=IN_POLICY - {State.PERMANENT})
    for correction in Correction.objects.filter(late | over).order_by("pk"):
        yield from _late(correction, now=now)


def _late(correction: Correction, *, now: datetime) -> Iterator[Fault]:
    by = correction.execute_by or now
    if correction.state == State.FAILED:
        detail = correction.failure or "Not every gateway has shown it in time. It stays wanted."
        yield _about(correction.pk, AlarmKind.FAILED, by, detail)
    if correction.state == State.LIFTING:
        yield _about(
            correction.pk, AlarmKind.NOT_LIFTED, by, "A gateway has not shown in time that it is gone."
        )
    elif correction.expires_at is not None and correction.expires_at <= now:
        detail = "Its time is over; it is held until somebody lifts or renews it."
        yield _about(correction.pk, AlarmKind.HELD, correction.expires_at, detail)


def _let_through(*, now: datetime) -> Iterator[Fault]:
    for found in missed(now=now):
        yield _about(found.correction_id, AlarmKind.ALLOWED, found.since, found.detail, found.examples)


def _about(
    correction_id: int,
    kind: AlarmKind,
    since: datetime,
    detail: str,
    examples: Iterable[dict[str, Any]] = (),
) -> Fault:
    cause = _cause(correction_id)
    return Fault(kind, cause, since, detail, correction_id=correction_id, examples=tuple(examples))


def _cause(correction_id: int) -> str:
    return f"correction:{correction_id}"
