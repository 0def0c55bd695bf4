"""One correction: what it does, where it stands, who decided, and the proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone

from corrections import selectors
from corrections.models import AlarmKind, Proposal, Vote
from corrections.panels.acts import Act, acts
from corrections.panels.chart import Chart, Example, chart, missed
from corrections.panels.decision import Deciding, deciding
from corrections.panels.enforcement import Proof, proofs, steps
from corrections.panels.links import Links, links
from corrections.panels.terms import Change, changes, facts
from corrections.panels.words import CLASS_OF, sentence, utc
from corrections.states import IN_POLICY, State
from corrections.terms import Terms

if TYPE_CHECKING:
    from corrections.models import Alarm as Raised
    from corrections.models import Correction
    from corrections.panels.cells import Step
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
    """Something about this correction that should not be overlooked; ``url`` leads to who looks after it."""

    tone: str
    title: str
    text: str
    url: str = ""


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
    links: Links
    decided: list[Decided]
    proofs: list[Proof] | None
    steps: list[Step]
    standing: str
    refused: int
    chart: Chart | None
    missed: list[Example]
    here: str


def detail(correction: Correction, user: User, window: str = "") -> Detail:
    """Collect the page for this reader, its chart over the window."""
    proposals, kin = _proposals(correction), selectors.kin(correction, reader=user)
    asked = next((proposal for proposal in proposals if proposal.is_open), None)
    replaced, words = correction.supersedes, CLASS_OF[correction.kind]
    raised = _raised(correction)
    shown = proofs(correction) if correction.state in SHOWN_AT_GATEWAYS else None
    return Detail(
        correction=correction,
        class_title=f"{words.code} {words.title}",
        topic=f"correction:{correction.pk}",
        sentence=sentence(Terms.of(correction)),
        track=_track(correction),
        alarms=[*_alarms(correction), *(_notice(each) for each in raised if each.is_open)],
        acts=acts(correction, asked, user, kin.versions),
        facts=facts(Terms.of(correction)),
        rows=changes(Terms.of(replaced), Terms.of(correction)) if replaced else [],
        versions=kin.versions,
        links=links(correction, kin),
        decided=[Decided(proposal, deciding(proposal)) for proposal in proposals],
        proofs=shown,
        steps=steps(correction, shown or []),
        standing=_standing(correction, shown or []),
        refused=sum(proof.refused for proof in shown or []),
        chart=chart(correction, window) if correction.approved_at else None,
        missed=missed(correction) if any(each.kind == AlarmKind.ALLOWED for each in raised) else [],
        here="?" + urlencode({"part": "live", **({"window": window} if window else {})}),
    )


def _proposals(correction: Correction) -> list[Proposal]:
    """Read every question with its votes once; the rules that ask for them find them on the correction."""
    votes = Prefetch("votes", Vote.objects.select_related("user"))
    rows = Proposal.objects.select_related("proposer").prefetch_related(votes)
    prefetch_related_objects([correction], Prefetch("proposals", rows))
    return list(correction.proposals.all())


def _standing(correction: Correction, shown: list[Proof]) -> str:
    """Sum the proofs up in a sentence."""
    agree = sum(proof.agrees for proof in shown)
    what = "in force" if correction.state in IN_POLICY else "gone"
    gateways = "gateway has" if len(shown) == 1 else "gateways have"
    return f"{agree} of {len(shown)} {gateways} shown it {what}."


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
        since = f". Since {utc(correction.drifted_at)}." if correction.drifted_at else ""
        found.append(Alarm("danger", "It drifted", f"{correction.drift.rstrip('.')}{since}"))
    found += [alarm for alarm in (_held(correction), _review(correction)) if alarm]
    return found


def _raised(correction: Correction) -> list[Raised]:
    """Give the alarms, open and cleared, of the kinds that the state of the correction does not show."""
    if correction.approved_at is None:
        return []
    return list(correction.alarms.filter(kind__in=[AlarmKind.ALLOWED, AlarmKind.NOT_LIFTED]))


def _notice(raised: Raised) -> Alarm:
    return Alarm("danger", raised.get_kind_display(), raised.detail, raised.get_absolute_url())


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
