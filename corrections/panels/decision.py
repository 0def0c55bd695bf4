"""A proposal before those who decide: what changes, for whom, who decides, and whether the reader can."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone

from corrections import policies, selectors
from corrections.models import Proposal
from corrections.panels.asking import why_not
from corrections.panels.cautions import Caution, Linked, cautions, overlapping
from corrections.panels.impact import ImpactPanel, impact_panel
from corrections.panels.refused import Refused, refused, unrefused
from corrections.panels.terms import Change, changes, facts, terms_of
from corrections.panels.words import sentence
from corrections.registers import spared_by
from corrections.states import Action, ProposalState, Verdict
from corrections.terms import Terms
from corrections.validation import spec
from irapp.accounts.models import RoleCode, RoleGrant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from corrections.models import Correction, Vote
    from irapp.accounts.models import User

QUESTIONS = {
    Action.IMPOSE: "Impose",
    Action.LIFT: "Lift",
    Action.MAKE_PERMANENT: "Make permanent",
}


CLOSED = {
    ProposalState.APPROVED: "Approved by {} of {}",
    ProposalState.REJECTED: "Rejected",
    ProposalState.WITHDRAWN: "Withdrawn before it was decided",
    ProposalState.LAPSED: "Nobody decided in time",
}


@dataclass(frozen=True)
class Changing:
    """What the payload says, in one sentence and field by field."""

    sentence: str
    title: str
    facts: list[tuple[str, str]]
    rows: list[Change]
    old_title: str
    raw: str


@dataclass(frozen=True)
class Deciding:
    """Who decides, who did, and what is still missing."""

    groups: list[dict[str, object]]
    cast: list[dict[str, object]]
    authority: str


@dataclass(frozen=True)
class ProposalPage:
    """Everything that the decision page prints."""

    proposal: Proposal
    payload: dict[str, Any]
    question: str
    consequence: str
    topic: str
    imposing: bool
    cautions: list[Caution]
    overlaps: list[Linked]
    spared: list[Correction]
    changing: Changing
    impact: ImpactPanel | None
    refused: Refused | None
    unrefused: str
    deciding: Deciding
    mine: Vote | None
    why_not: str
    cannot_withdraw: str
    newer: Proposal | None


def proposal_page(proposal: Proposal, user: User) -> ProposalPage:
    """Collect the decision page for this reader."""
    document, now = selectors.payload_of(proposal), timezone.now()
    terms = terms_of(document)
    imposing = proposal.action == Action.IMPOSE
    said = spec(terms, policy_id=proposal.correction.policy_id)
    return ProposalPage(
        proposal=proposal,
        payload=document,
        question=f"{QUESTIONS[Action(proposal.action)]} {proposal.correction}?",
        consequence=_consequence(proposal),
        topic=f"proposal:{proposal.pk}",
        imposing=imposing,
        cautions=cautions(terms) if imposing else [],
        overlaps=overlapping(said, _reach(proposal), user) if imposing else [],
        spared=spared_by(Terms.of(proposal.correction), reader=user) if imposing else [],
        changing=changing(proposal, document),
        impact=impact_panel(proposal.impact) if proposal.impact else None,
        refused=refused(said) if imposing else None,
        unrefused=unrefused(said),
        deciding=deciding(proposal),
        mine=next((vote for vote in proposal.votes.all() if vote.person == user.person), None),
        why_not=why_not(policies.check_can_decide, proposal, user, now=now),
        cannot_withdraw=why_not(policies.check_can_withdraw, proposal, user),
        newer=newer(proposal),
    )


def changing(proposal: Proposal, document: dict[str, Any]) -> Changing:
    """Say what is decided: to impose, to replace, to lift, or to keep for good."""
    terms, raw = terms_of(document), json.dumps(document, indent=2, ensure_ascii=False)
    said, every, replaced = sentence(terms), facts(terms), proposal.correction.supersedes
    if proposal.action == Action.LIFT:
        return Changing(f"Ends what is in force now: {said}", "Exactly what ends", every, [], "", raw)
    if proposal.action == Action.MAKE_PERMANENT:
        return Changing(f"Stays without expiry: {said}", "Exactly what stays", every, [], "", raw)
    rows = changes(Terms.of(replaced), terms) if replaced else []
    return Changing(said, "Exactly what is decided", every, rows, f"Now ({replaced})", raw)


def deciding(proposal: Proposal) -> Deciding:
    """Say who can decide now, who voted, and what is missing. What is closed stays as the votes left it."""
    votes = list(proposal.votes.all())
    standing = selectors.standing(proposal) if proposal.is_open else None
    approvals = list(standing.counting) if standing else _approving(votes)
    quorum, against = int(proposal.authority["quorum"]), len(votes) - len(_approving(votes))
    pips = ["given"] * len(approvals) + ["against"] * against
    group: dict[str, object] = {
        "summary": _sentence(standing.missing)
        if standing
        else CLOSED[ProposalState(proposal.state)].format(len(approvals), quorum),
        "pips": pips + [""] * (quorum - len(pips)),
        "eligible": _people(proposal) if standing else [],
        "barred": _barred(proposal) if standing else [],
    }
    cast = [
        {"who": vote.user, "verdict": vote.verdict, "at": vote.at, "reason": vote.reason} for vote in votes
    ]
    return Deciding([group], cast, _authority(proposal))


def missing(proposal: Proposal) -> str:
    """Say whose votes it still waits for."""
    return _sentence(selectors.standing(proposal).missing)


def newer(proposal: Proposal) -> Proposal | None:
    """Give the question that took the place of this one, if any."""
    later = Proposal.objects.filter(correction__reference=proposal.correction.reference, pk__gt=proposal.pk)
    return later.select_related("correction").order_by("-pk").first()


def since(proposal: Proposal) -> list[Change]:
    """Give what changed since this was proposed: against the newer question, or against the present terms."""
    later = newer(proposal)
    shown = terms_of(selectors.payload_of(proposal))
    present = terms_of(selectors.payload_of(later)) if later else Terms.of(proposal.correction)
    return [row for row in changes(shown, present) if row.changed]


def _reach(proposal: Proposal) -> dict[str, int]:
    overlaps = (proposal.impact or {}).get("overlaps") or ()
    return {each["correction"]: each["requests"] for each in overlaps}


def _consequence(proposal: Proposal) -> str:
    """Say what one more approval leads to."""
    standing = selectors.standing(proposal)
    if standing.quorum - len(standing.counting) > 1:
        return "Your approval alone changes nothing yet: more people have to agree."
    return {
        Action.IMPOSE: "If yours is the last approval missing, the gateways enforce it within seconds.",
        Action.LIFT: "If yours is the last approval missing, these requests pass again within seconds.",
        Action.MAKE_PERMANENT: "If yours is the last approval missing, it stays for good.",
    }[Action(proposal.action)]


def _approving(votes: list[Vote]) -> list[Vote]:
    return [vote for vote in votes if vote.verdict == Verdict.APPROVE]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _people(proposal: Proposal) -> list[str]:
    people = list(selectors.eligible(proposal))
    held = RoleGrant.objects.filter(user__in=people, role__in=proposal.authority["roles"], ends_at=None)
    names = dict(held.values_list("user_id", "role__name"))
    return [
        f"{person} ({names[person.pk].lower()})" if person.pk in names else str(person) for person in people
    ]


def _barred(proposal: Proposal) -> list[str]:
    return [f"{person} ({did.label})" for person, did in selectors.barred(proposal)]


def _authority(proposal: Proposal) -> str:
    return authority_words(proposal.authority)


def authority_words(frozen: Mapping[str, Any]) -> str:
    """Say how many, from which roles, by which line of the matrix."""
    roles = " or ".join(RoleCode(role).label.lower() for role in frozen["roles"])
    include = " and ".join(RoleCode(role).label.lower() for role in frozen["must_include"])
    among = f", among them {include}" if include else ""
    return f"{frozen['quorum']} from {roles}{among} (rule {frozen['rule']})"
