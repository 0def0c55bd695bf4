"""One correction: what it does, where it stands, who decided, and the proof."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from corrections.models import Correction, Proposal, TrafficRecord
from corrections.panels.acts import Act, acts
from corrections.panels.decision import Deciding, deciding
from corrections.panels.enforcement import Proof, proofs
from corrections.panels.terms import Change, changes, facts
from corrections.panels.words import CLASS_OF, sentence, utc
from corrections.states import IN_POLICY, State
from corrections.terms import Terms

if TYPE_CHECKING:
    from irapp.accounts.models import User

TRACK = (
    ("Draft", {State.DRAFT}),
    ("Proposed", {State.PROPOSED}),
    ("Approved", {State.APPROVED}),
    ("Being enforced", {State.ENFORCING, State.FAILED}),
    ("Active, verified", {State.ACTIVE, State.PERMANENT}),
    ("Being lifted", {State.LIFTING}),
    ("Lifted", {State.LIFTED}),
)
LEFT_AT = {State.REJECTED: 1, State.WITHDRAWN: 0, State.EXPIRED: 1, State.SUPERSEDED: 4}
"""States beside the track: how far it had come."""
SHOWN_AT_GATEWAYS = frozenset({*IN_POLICY, State.LIFTING, State.LIFTED, State.SUPERSEDED})


@dataclass(frozen=True)
class Decided:
    """One question that was put, and what became of it."""

    proposal: Proposal
    deciding: Deciding


@dataclass(frozen=True)
class Alarm:
    """Something about this correction that should not be overlooked."""

    tone: str
    title: str
    text: str


@dataclass(frozen=True)
class Detail:
    """Everything that the page prints."""

    correction: Correction
    class_title: str
    topic: str
    sentence: str
    track: list[dict[str, str]]
    alarms: list[Alarm]
    acts: list[Act]
    facts: list[tuple[str, str]]
    rows: list[Change]
    versions: list[Correction]
    decided: list[Decided]
    proofs: list[Proof] | None
    standing: str
    refused: int
    refused_day: int


def detail(correction: Correction, user: User) -> Detail:
    """Collect the page for this reader."""
    proposals = list(correction.proposals.select_related("proposer").prefetch_related("votes__user"))
    asked = next((proposal for proposal in proposals if proposal.is_open), None)
    replaced, words = correction.supersedes, CLASS_OF[correction.kind]
    shown = proofs(correction) if correction.state in SHOWN_AT_GATEWAYS else None
    versions = Correction.objects.filter(reference=correction.reference).select_related("drafted_by")
    return Detail(
        correction=correction,
        class_title=f"{words.code} {words.title}",
        topic=f"correction:{correction.pk}",
        sentence=sentence(Terms.of(correction)),
        track=_track(correction),
        alarms=_alarms(correction),
        acts=acts(correction, asked, user),
        facts=facts(Terms.of(correction)),
        rows=changes(Terms.of(replaced), Terms.of(correction)) if replaced else [],
        versions=list(versions.order_by("-version")),
        decided=[Decided(proposal, deciding(proposal)) for proposal in proposals],
        proofs=shown,
        standing=_standing(correction, shown or []),
        refused=sum(proof.refused for proof in shown or []),
        refused_day=_refused_day(correction),
    )


def _standing(correction: Correction, shown: list[Proof]) -> str:
    """Sum the proofs up in a sentence."""
    agree = sum(proof.agrees for proof in shown)
    what = "in force" if correction.state in IN_POLICY else "gone"
    return f"{agree} of {len(shown)} gateway{'s' if len(shown) != 1 else ''} have shown it {what}."


def _refused_day(correction: Correction) -> int:
    if correction.approved_at is None:
        return 0
    recent = TrafficRecord.objects.filter(at__gt=timezone.now() - timedelta(hours=24), status__gte=400)
    return recent.filter(correction=correction.policy_id).count()


def _track(correction: Correction) -> list[dict[str, str]]:
    state = State(correction.state)
    here = next((index for index, (_, states) in enumerate(TRACK) if state in states), None)
    passed = LEFT_AT[state] if here is None else here
    steps = [(label, _status(index, here, passed)) for index, (label, _) in enumerate(TRACK)]
    if here is None:
        steps = [*steps[: passed + 1], (state.label, "current")]
    return [{"label": label, "status": status} for label, status in steps]


def _status(index: int, here: int | None, passed: int) -> str:
    if index == here:
        return "current"
    return "done" if index <= passed else "ahead"


def _alarms(correction: Correction) -> list[Alarm]:
    found = []
    if correction.state == State.FAILED:
        found.append(Alarm("danger", "Not shown in force in time", correction.failure or "It stays wanted."))
    if correction.drift:
        since = f" Since {utc(correction.drifted_at)}." if correction.drifted_at else ""
        found.append(Alarm("danger", "It drifted", f"{correction.drift}{since}"))
    found += [alarm for alarm in (_held(correction), _review(correction)) if alarm]
    return found


def _held(correction: Correction) -> Alarm | None:
    over = correction.expires_at is not None and correction.expires_at <= timezone.now()
    if not over or correction.state not in IN_POLICY - {State.PERMANENT} or correction.at_expiry != "hold":
        return None
    return Alarm(
        "warn", "Its time is over, and it is held", "It stays in force until somebody lifts or renews it."
    )


def _review(correction: Correction) -> Alarm | None:
    if correction.state not in IN_POLICY or correction.review_at > timezone.now():
        return None
    return Alarm(
        "warn", "Its review is due", f"Promised for {utc(correction.review_at)}: lift, relax or renew it."
    )
