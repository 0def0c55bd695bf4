"""Which line of the authority matrix applies, frozen onto a proposal when it is made."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from corrections.models import AuthorityRule, Proposal
from corrections.registers import spared_by
from corrections.states import SEVERITIES, Action, ProposalState
from corrections.terms import Terms
from irapp.common.errors import ConflictError

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from corrections.models import Correction


class Authority(TypedDict):
    """A rule as it stood when the proposal was made."""

    rule: str
    roles: list[str]
    quorum: int
    must_include: list[str]
    decide_within_seconds: int
    execute_within_seconds: int


class Asked(NamedTuple):
    """Who has to agree, while it is worked out."""

    roles: frozenset[str]
    quorum: int
    must_include: frozenset[str]


def rule_for(correction: Correction, action: Action) -> AuthorityRule:
    """Give the line for the gravest severity that the incident reaches; one for the kind goes first.

    :raises ConflictError: nobody is named for this.
    """
    fitting = AuthorityRule.objects.filter(
        correction_class=correction.correction_class,
        kind__in=["", correction.kind],
        breadth=correction.breadth,
        action=action,
    )
    reached = SEVERITIES[: SEVERITIES.index(_severity(correction)) + 1]
    rules = sorted(
        fitting.filter(minimum_severity__in=reached),
        key=lambda rule: (rule.kind != "", SEVERITIES.index(rule.minimum_severity)),
    )
    if not rules:
        raise ConflictError(
            f"Nobody is named who may {action.label.lower()} a {correction.breadth.lower()} "
            f"{correction.correction_class}. Ask an administrator to add a line to the authority matrix.",
            code="no_authority",
        )
    return rules[-1]


def freeze(correction: Correction, action: Action) -> Authority:
    """Give the authority to write onto a proposal; giving back is never easier than taking away.

    A new version takes the older one out of force, so it asks for at least what lifting that one would.
    An exemption takes a correction out of force for some, so it asks for at least what stands behind that.
    """
    rule = rule_for(correction, action)
    asked = Asked(frozenset(rule.roles), rule.quorum, frozenset(rule.must_include))
    for given_up in _given_up(correction, action):
        asked = _as_decided(correction, given_up, _as_lifting(given_up, asked))
    return Authority(
        rule=rule.code,
        roles=sorted(asked.roles),
        quorum=asked.quorum,
        must_include=sorted(asked.must_include),
        decide_within_seconds=int(rule.decide_within.total_seconds()),
        execute_within_seconds=int(rule.execute_within.total_seconds()),
    )


def check_not_grown(proposal: Proposal) -> None:
    """Refuse to take down, by what was frozen earlier, what more authority stands behind by now.

    Edits of the matrix change nothing here: asked is what was decided since, and by whom.
    """
    frozen, correction = proposal.authority, proposal.correction
    asked = before = Asked(frozenset(frozen["roles"]), frozen["quorum"], frozenset(frozen["must_include"]))
    for given_up in _given_up(correction, Action(proposal.action)):
        if given_up.approved_at is not None and given_up.approved_at > proposal.proposed_at:
            asked = _as_lifting(given_up, asked)
        asked = _as_decided(correction, given_up, asked)
    if asked != before:
        raise ConflictError("The authority it takes down has grown; propose it again.", code="authority_grew")


def _as_lifting(given_up: Correction, asked: Asked) -> Asked:
    """Ask for at least what lifting it would."""
    lifting = rule_for(given_up, Action.LIFT)
    return Asked(
        asked.roles, max(asked.quorum, lifting.quorum), asked.must_include | set(lifting.must_include)
    )


def _as_decided(correction: Correction, given_up: Correction, asked: Asked) -> Asked:
    """Ask for at least what stands behind it; an exemption is decided by no others."""
    roles, quorum, include = asked
    for decided in _standing_decisions(given_up):
        quorum = max(quorum, decided.authority["quorum"])
        include |= set(decided.authority["must_include"])
        if correction.kind == "exempt":
            roles = roles & set(decided.authority["roles"]) or roles
    return Asked(roles, quorum, include)


def _given_up(correction: Correction, action: Action) -> list[Correction]:
    """Give what would no longer bind everybody whom it binds now."""
    if action != Action.IMPOSE:
        return [correction]
    replaced = [correction.supersedes] if correction.supersedes else []
    return [*replaced, *spared_by(Terms.of(correction))]


def _standing_decisions(correction: Correction) -> QuerySet[Proposal]:
    """Give the decisions by which it stands: imposed, and perhaps made permanent."""
    kept = [Action.IMPOSE, Action.MAKE_PERMANENT]
    return correction.proposals.filter(action__in=kept, state=ProposalState.APPROVED)


def imposed_by(correction: Correction) -> Proposal | None:
    """Give the decision that imposed it."""
    decided = correction.proposals.filter(action=Action.IMPOSE, state=ProposalState.APPROVED)
    return decided.order_by("id").last()


def execute_within(proposal: Proposal) -> timedelta:
    """How long the gateways have to show what was decided."""
    return timedelta(seconds=proposal.authority["execute_within_seconds"])


def _severity(correction: Correction) -> str:
    """An incident that nobody has judged counts as the mildest; its rules give the longest clocks."""
    return correction.package.incident.severity or SEVERITIES[0]
