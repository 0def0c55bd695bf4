"""Who can decide now, whose votes count, and what is still missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils import timezone

from corrections.models import Did
from corrections.states import Verdict
from incidents.models import Incident
from irapp.accounts.models import RoleCode, User

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from corrections.models import Proposal, Vote


@dataclass(frozen=True)
class Standing:
    """How far a proposal has come.

    :param counting: the approvals of people who may still decide; each counts for one person.
    :param missing: for people, for example ``waiting for 1 of 2 from duty officer or executive``.
    """

    quorum: int
    counting: tuple[Vote, ...]
    lacking_roles: tuple[str, ...]
    missing: str

    @property
    def met(self) -> bool:
        """Enough independent people agreed, among them everyone who has to be."""
        return not self.missing


def standing(proposal: Proposal) -> Standing:
    """Count the votes by the frozen authority; whoever lost the role or the account no longer counts."""
    approvals = proposal.votes.filter(verdict=Verdict.APPROVE).select_related("user")
    # By the person an account belongs to today: accounts that were joined since are one voice.
    authors = proposal.authors
    counted = (vote for vote in approvals if _counts(proposal, vote) and vote.user.person not in authors)
    voices = {vote.user.person: vote for vote in counted}
    counting = tuple(voices.values())
    quorum = int(proposal.authority["quorum"])
    lacking = tuple(
        role
        for role in proposal.authority["must_include"]
        if not any(vote.user.has_role(role) for vote in counting)
    )
    return Standing(quorum, counting, lacking, _missing(proposal, len(counting), lacking))


def eligible(proposal: Proposal) -> QuerySet[User]:
    """Give the people who can vote on it now: role held, no hand in it, not voted, may see it."""
    people = holders(proposal.authority["roles"], proposal.correction.package.incident)
    voted = proposal.votes.values("user__person")
    wrote = User.objects.filter(pk__in=list(proposal.barred)).values("person")
    return people.exclude(person__in=wrote).exclude(person__in=voted)


def barred(proposal: Proposal) -> list[tuple[User, Did]]:
    """Give the people who do not decide because they had a hand in it, and what they did."""
    people = User.objects.in_bulk([int(account) for account in proposal.barred])
    hands = [(people[int(account)], Did(did)) for account, did in proposal.barred.items()]
    return sorted(hands, key=lambda each: (each[1], each[0].username))


def holders(roles: Iterable[str], incident: Incident) -> QuerySet[User]:
    """Give the active people with one of the roles; a restricted incident counts only those who see it."""
    current = Q(grants__ends_at=None) | Q(grants__ends_at__gt=timezone.now())
    held = Q(grants__role__in=list(roles)) & current
    people = User.objects.filter(held, is_active=True).distinct().order_by("username")
    if not incident.restricted:
        return people
    seeing = [user.pk for user in people if Incident.objects.visible_to(user).filter(pk=incident.pk).exists()]
    return User.objects.filter(pk__in=seeing).order_by("username")


def _counts(proposal: Proposal, vote: Vote) -> bool:
    return vote.digest == proposal.digest and vote.user.has_role(*proposal.authority["roles"])


def _missing(proposal: Proposal, approvals: int, lacking: tuple[str, ...]) -> str:
    quorum = int(proposal.authority["quorum"])
    short = max(quorum - approvals, 0)
    # Where everybody else has voted, the last one still has to hold the role that is lacking.
    if lacking and max(short, 1) <= len(lacking):
        return f"waiting for {max(short, 1)} of {quorum} from {_names(lacking, ' and ')}"
    if short:
        among = f", among them {_names(lacking, ' and ')}" if lacking else ""
        return f"waiting for {short} of {quorum} from {_names(proposal.authority['roles'], ' or ')}{among}"
    return ""


def _names(roles: tuple[str, ...] | list[str], joint: str) -> str:
    return joint.join(RoleCode(role).label.lower() for role in roles)
