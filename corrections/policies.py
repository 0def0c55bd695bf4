"""Who may do what, and when. Each rule raises its reason; buttons ask the same rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrections.authority import check_not_grown
from corrections.models import Correction
from corrections.states import EDITABLE, IN_POLICY, Action, State, Verdict
from incidents.states import OPEN
from incidents.states import State as Stage
from irapp.accounts.models import RoleCode
from irapp.common.errors import ConflictError, NotPermittedError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

    from corrections.models import Alarm, Gateway, Hub, Package, Proposal
    from incidents.models import Incident
    from irapp.accounts.models import User

PROPOSERS = (RoleCode.RESPONDER, RoleCode.COMMANDER)
DECIDERS = (RoleCode.DUTY_OFFICER, RoleCode.EXECUTIVE)
ALERTED = (*PROPOSERS, *DECIDERS)
"""Whoever is told of alarms: on call, in command, deciding."""


def check_can_open_package(incident: Incident, user: User) -> None:
    """Corrections are prepared for an incident that is open, by those who respond to it."""
    _need(user, *PROPOSERS)
    if incident.state not in OPEN:
        raise ConflictError(f"{incident} has ended; reopen it first.", code="incident_ended")


def check_can_draft(package: Package, user: User) -> None:
    """Adding to a package follows the rule of opening one."""
    check_can_open_package(package.incident, user)


def check_can_revise(
    correction: Correction, user: User, *, versions: Iterable[Correction] | None = None
) -> None:
    """Terms change only before they are approved; afterwards a new version is drafted.

    :param versions: every version of it, the newest first, where they are known already.
    """
    check_can_open_package(correction.package.incident, user)
    if correction.state not in EDITABLE:
        raise ConflictError(
            f"{correction} is {_label(correction)}. A change to it is a new version.", code="not_editable"
        )
    _no_other_draft(correction, _versions(correction, versions))


def check_can_draft_version(
    correction: Correction, user: User, *, versions: Iterable[Correction] | None = None
) -> None:
    """A change starts from the newest version in force, one change at a time.

    :param versions: every version of it, the newest first, where they are known already.
    """
    check_can_open_package(correction.package.incident, user)
    if correction.state not in IN_POLICY:
        raise ConflictError(f"{correction} is {_label(correction)}, not in force.", code="not_in_force")
    every = _versions(correction, versions)
    if any(each.version > correction.version and each.state in IN_POLICY for each in every):
        raise ConflictError(f"A newer version of {correction.reference} is in force.", code="not_newest")
    _no_other_draft(correction, every)


def check_can_propose(correction: Correction, user: User, *, now: datetime) -> None:
    """Proposed are complete drafts, in the stage in which corrections are decided."""
    _need(user, *PROPOSERS)
    _in(correction, State.DRAFT)
    _check_stage(correction)
    if not correction.narrower_rejected and needs_narrower_rejected(correction):
        raise ConflictError(
            "Say why a narrower option was rejected: it touches everyone, or it is a shutdown.",
            code="narrower_missing",
        )
    check_base_in_force(correction)
    check_still_timely(correction, now=now)


def check_base_in_force(correction: Correction) -> None:
    """A new version changes what is in force; when that is gone, it would be a new restriction."""
    base = correction.supersedes
    if base is not None and base.state not in IN_POLICY:
        raise ConflictError(f"{base} is no longer in force; draft a new correction.", code="not_in_force")


def needs_narrower_rejected(correction: Correction) -> bool:
    """Broad corrections and shutdowns have to say why something narrower is not enough."""
    return correction.breadth == "BROAD" or correction.correction_class == "T5"


def check_still_timely(correction: Correction, *, now: datetime) -> None:
    """Something that is over before it begins cannot be asked for, nor approved."""
    if correction.expires_at is not None and correction.expires_at <= now:
        raise ConflictError(f"{correction} would have expired already; revise its expiry.", code="expired")


def check_can_withdraw(proposal: Proposal, user: User) -> None:
    """The proposer, or a commander, takes back what is not decided."""
    if user.pk != proposal.proposer_id:
        _need(user, RoleCode.COMMANDER)
    if not proposal.is_open:
        raise ConflictError(f"It is {proposal.get_state_display().lower()} already.", code="already_decided")


def check_can_discard(correction: Correction, user: User) -> None:
    """A draft that nobody pursues is withdrawn."""
    _need(user, *PROPOSERS)
    _in(correction, State.DRAFT, State.EXPIRED)


def check_can_propose_lift(correction: Correction, user: User) -> None:
    """Whatever is wanted at the gateways can be asked to be lifted, whatever became of the incident."""
    _need(user, *PROPOSERS)
    _in(correction, *IN_POLICY)
    _nothing_open(correction)


def check_can_propose_permanent(correction: Correction, user: User) -> None:
    """Only what has been shown in force can stay for good."""
    _need(user, *PROPOSERS)
    _in(correction, State.ACTIVE)
    if correction.kind == "exempt":
        raise ConflictError("An exemption always ends; renew it by a new version.", code="exemption_ends")
    _nothing_open(correction)


def check_can_retry(correction: Correction, user: User) -> None:
    """Trying again needs no new decision: it was approved, and it is still wanted."""
    _need(user, *PROPOSERS, *DECIDERS)
    _in(correction, State.FAILED)


def check_can_decide(proposal: Proposal, user: User, *, now: datetime) -> None:
    """Whether this person can vote at all; the page shows the ballot by it."""
    if not proposal.is_open:
        raise ConflictError(
            f"{proposal}: {proposal.get_state_display().lower()} already.", code="already_decided"
        )
    if proposal.decide_by <= now:
        raise ConflictError("The time to decide is over.", code="lapsed")
    if did := proposal.authors.get(user.person):
        raise NotPermittedError(
            f"Whoever {did.label} does not decide. Somebody else has to.", code="own_proposal"
        )
    check_has_authority(proposal, user)


def check_has_authority(proposal: Proposal, user: User) -> None:
    """Whether the authority frozen onto the proposal names a role of this person."""
    roles = proposal.authority["roles"]
    if not user.has_role(*roles):
        names = " or ".join(RoleCode(role).label.lower() for role in roles)
        raise NotPermittedError(f"This is decided by {names}.", code="wrong_role")


def check_can_vote(proposal: Proposal, user: User, *, verdict: Verdict, digest: str, now: datetime) -> None:
    """A vote counts for exactly the bytes that were shown."""
    check_can_decide(proposal, user, now=now)
    if digest != proposal.digest:
        raise ConflictError(
            "What you were shown is not what is proposed now. Read it again before you decide.",
            code="digest_mismatch",
        )
    if verdict == Verdict.APPROVE and proposal.action == Action.IMPOSE:
        check_still_timely(proposal.correction, now=now)
        check_base_in_force(proposal.correction)
        _check_stage(proposal.correction)
        check_not_grown(proposal)


def check_can_retire(gateway: Gateway, user: User, *, now: datetime) -> None:
    """A gateway that is gone for good no longer counts; that is a decision-maker's word."""
    _need(user, *DECIDERS)
    if not gateway.is_silent(now=now):
        raise ConflictError(f"{gateway} still reports; stop it first.", code="still_reporting")
    if gateway.retired_at is not None:
        raise ConflictError(f"{gateway} is retired already.", code="already_retired")


def check_can_take_up(gateway: Gateway, user: User, *, now: datetime) -> None:
    """A gateway that was retired counts again when who may retire it says so, and when it is there."""
    _need(user, *DECIDERS)
    if gateway.retired_at is None:
        raise ConflictError(f"{gateway} is in service.", code="not_retired")
    if not gateway.reports_again(now=now):
        raise ConflictError(f"Nothing is heard of {gateway}; start it first.", code="still_silent")


def check_can_continue(user: User, conflicting: QuerySet[Hub]) -> None:
    """To go on without a policy that was lost may lift what it said: a decision-maker's word."""
    _need(user, *DECIDERS)
    if not conflicting:
        raise ConflictError("No hub holds a policy that is unknown here.", code="no_conflict")


def check_can_acknowledge(alarm: Alarm, user: User) -> None:
    """Whoever responds, commands or decides says that they look after it; the first one's word stands."""
    _need(user, *ALERTED)
    if not alarm.is_open:
        raise ConflictError(f"{alarm} has healed by itself.", code="already_cleared")
    if alarm.acknowledged_at is not None:
        raise ConflictError(f"{alarm.acknowledged_by} looks after it already.", code="already_acknowledged")


def _check_stage(correction: Correction) -> None:
    incident = correction.package.incident
    allowed = {Stage.EXECUTION}
    if correction.package.precaution:
        allowed |= {Stage.MONITORING, Stage.POST_INCIDENT}
    if correction.supersedes_id is not None:
        allowed |= {Stage.POST_INCIDENT}  # service is restored step by step
    if incident.state not in allowed:
        raise ConflictError(
            f"{incident} is in {incident.get_state_display().lower()}; corrections are proposed in execution"
            " (precautions also in monitoring).",
            code="wrong_stage",
        )


def _need(user: User, *roles: RoleCode) -> None:
    if not user.has_role(*roles):
        names = " or ".join(role.label.lower() for role in roles)
        raise NotPermittedError(f"You need to be {names} for this.", code="wrong_role")


def _in(correction: Correction, *states: State) -> None:
    if correction.state not in states:
        raise ConflictError(f"{correction} is {_label(correction)}.", code="wrong_state")


def _nothing_open(correction: Correction) -> None:
    if any(proposal.is_open for proposal in correction.proposals.all()):
        raise ConflictError(f"Something is proposed for {correction} already.", code="proposal_open")


def _no_other_draft(correction: Correction, versions: Iterable[Correction]) -> None:
    for other in versions:
        if other.state in {State.DRAFT, State.PROPOSED} and other.pk != correction.pk:
            raise ConflictError(f"{other} is {_label(other)}: one change at a time.", code="change_open")


def _versions(correction: Correction, known: Iterable[Correction] | None) -> list[Correction]:
    if known is not None:
        return list(known)
    return list(Correction.objects.filter(reference=correction.reference).order_by("-version"))


def _label(correction: Correction) -> str:
    return str(correction.get_state_display()).lower()
