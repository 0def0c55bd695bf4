"""What can be done with a correction from here, and why not where it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils import timezone

from corrections import policies
from corrections.panels.asking import why_not
from corrections.stages import narrower, wider
from corrections.states import IN_POLICY, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from corrections.models import Correction, Proposal
    from irapp.accounts.models import User


@dataclass(frozen=True)
class Act:
    """A button: where it leads, and the reason where it is not for this reader or not now.

    :param post: what is sent by a button that drafts something at once; nothing is asked of anybody yet.
    """

    name: str
    label: str
    url: str
    why_not: str
    kind: str = ""
    post: tuple[str, object] | None = None


def acts(
    correction: Correction, proposal: Proposal | None, user: User, versions: Sequence[Correction]
) -> list[Act]:
    """Give the buttons of this state, the likeliest first.

    :param versions: every version of it, the newest first.
    """
    return [
        *_draft(correction, user, versions),
        *_asked(correction, proposal, user, versions),
        *_in_force(correction, user, versions),
    ]


def _draft(correction: Correction, user: User, versions: Sequence[Correction]) -> Iterator[Act]:
    if correction.state == State.DRAFT:
        reason = why_not(policies.check_can_propose, correction, user, now=timezone.now())
        yield Act("propose", "Propose it", _url("propose", correction), reason, "primary")
    if correction.state in {State.DRAFT, State.EXPIRED}:
        reason = why_not(policies.check_can_revise, correction, user, versions=versions)
        yield Act("edit", "Edit", _url("edit", correction), reason)
        reason = why_not(policies.check_can_discard, correction, user)
        yield Act("discard", "Withdraw the draft", _url("discard", correction), reason)


def _asked(
    correction: Correction, proposal: Proposal | None, user: User, versions: Sequence[Correction]
) -> Iterator[Act]:
    if proposal is None:
        return
    yield Act("decide", "Open the decision", _url("proposal", proposal), "", "primary")
    if correction.state == State.PROPOSED:
        reason = why_not(policies.check_can_revise, correction, user, versions=versions)
        yield Act("edit", "Edit (votes are void then)", _url("edit", correction), reason)
    reason = why_not(policies.check_can_withdraw, proposal, user)
    yield Act("withdraw", "Withdraw the proposal", _url("withdraw", proposal), reason)


def _in_force(correction: Correction, user: User, versions: Sequence[Correction]) -> Iterator[Act]:
    if correction.state not in IN_POLICY:
        return
    if correction.state == State.FAILED:
        yield Act(
            "retry",
            "Try again",
            _url("retry", correction),
            why_not(policies.check_can_retry, correction, user),
        )
    reason = why_not(policies.check_can_draft_version, correction, user, versions=versions)
    yield Act("version", "Tighten or relax", _url("version", correction), reason)
    yield from _steps(correction, reason)
    yield Act(
        "lift", "Lift", _url("lift", correction), why_not(policies.check_can_propose_lift, correction, user)
    )
    if correction.state == State.ACTIVE:
        reason = why_not(policies.check_can_propose_permanent, correction, user)
        yield Act("permanent", "Make permanent", _url("permanent", correction), reason)
    if correction.kind != "exempt":
        package = correction.package
        url = f"{reverse('corrections:create')}?incident={package.incident_id}&exempt={correction.reference}"
        reason = why_not(policies.check_can_draft, package, user)
        yield Act("exempt", "Exempt somebody", url, reason)


def _steps(correction: Correction, reason: str) -> Iterator[Act]:
    """The next step of a roll-out or of a restoration, drafted in one click."""
    url = _url("step", correction)
    if more := wider(correction.percentage):
        yield Act("wider", f"Widen to {more} % of users", url, reason, post=("percentage", more))
    if less := narrower(correction.percentage):
        yield Act("narrower", f"Ease to {less} % of users", url, reason, post=("percentage", less))


def _url(name: str, record: Correction | Proposal) -> str:
    return reverse(f"corrections:{name}", args=[record.pk])
