"""What a reader should know before deciding, beside the sentence and the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone

from corrections.models import Correction
from corrections.panels.phrases import utc
from corrections.panels.words import summary
from corrections.states import IN_POLICY
from corrections.terms import Terms
from enforcement import policy
from enforcement.decide import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from corrections.models.correction import CorrectionQuerySet
    from irapp.accounts.models import User

MENTIONED = 5


@dataclass(frozen=True)
class Caution:
    """Something that should not be overlooked."""

    tone: str
    title: str
    text: str


@dataclass(frozen=True)
class Linked:
    """Another correction, and what it means for this one."""

    correction: Correction
    text: str


def cautions(terms: Terms) -> list[Caution]:
    """Give what holds for the terms whatever the traffic."""
    return [*_everyone(terms), *_trusted(terms), *_depth(terms), *_manner(terms), *_spared_otherwise(terms)]


def overlapping(said: policy.Correction, reach: Mapping[str, int], reader: User) -> list[Linked]:
    """Give the corrections in force that reach the same requests, and which of the two speaks.

    Those of incidents that the reader may not see are left out.

    :param reach: requests of the last day that both reach, by the other's name in the policy.
    """
    live = _live().visible_to(reader).exclude(reference=said.reference)
    met = [each for each in live if each.policy_id in reach or _scopes_meet(said, each)]
    likeliest = sorted(met, key=lambda each: (each.kind != "exempt", -reach.get(each.policy_id, 0)))
    return [
        Linked(each, _precedence(said, each, reach.get(each.policy_id, 0))) for each in likeliest[:MENTIONED]
    ]


def _everyone(terms: Terms) -> Iterator[Caution]:
    if not any(terms.users.values()):
        yield Caution(
            "warn",
            "It touches everyone",
            "Nobody is named. Why nothing narrower is enough is part of what is decided.",
        )
    elif terms.kind == "allow":
        yield Caution(
            "warn",
            "It touches everyone else",
            "Whoever is not named is refused. Why a block is not enough is part of what is decided.",
        )


def _trusted(terms: Terms) -> Iterator[Caution]:
    """T-7: a user who means no harm can cause it too."""
    if terms.kind in {"block", "allow"}:
        yield Caution(
            "info",
            "Restricting users may not be enough",
            "Where harm can come from proper use by a trusted user, also restrict a capability or a use"
            " (T3, T4), or shut down (T5): whoever is not named can still do the same.",
        )


def _depth(terms: Terms) -> Iterator[Caution]:
    if terms.kind == "decommission":
        yield Caution(
            "danger",
            "Meant for good",
            "Refused callers are told that the model is gone (410), and many will not come back."
            " It can be lifted here; two executives decide on it.",
        )
    if terms.kind == "halt":
        yield Caution(
            "warn",
            "Running answers end in the middle",
            "Callers get an unfinished answer; agents may stop halfway.",
        )
    if terms.kind == "reroute" or terms.parameters.get("fallback_models"):
        yield Caution(
            "info",
            "The fallback is restricted too",
            "Whatever is in force for the fallback model holds for those who are sent there.",
        )


def _manner(terms: Terms) -> Iterator[Caution]:
    if terms.kind == "exempt":
        yield Caution(
            "warn",
            "It opens what was closed",
            "Whoever is in the scope is served again. It asks for at least the authority of what it spares"
            " from.",
        )
    if terms.mode == "shadow":
        yield Caution(
            "info", "A dry run protects nobody", "It counts what would be refused, and refuses nothing."
        )
    if terms.grace_until and terms.grace_until > timezone.now():
        yield Caution("info", "A grace period", f"Nothing is refused before {utc(terms.grace_until)}.")
    if terms.kind == "classifier" and terms.parameters.get("on_failure") == "allow":
        yield Caution(
            "warn",
            "It fails open",
            "While the classifier does not answer, everything in the scope passes unread.",
        )


def _spared_otherwise(terms: Terms) -> Iterator[Caution]:
    """A shutdown for everyone should say who is left without an answer."""
    shutdown = terms.kind in {"suspend", "halt", "market_removal", "decommission"}
    if (
        shutdown
        and not terms.parameters.get("fallback_models")
        and not terms.parameters.get("fallback_address")
    ):
        yield Caution(
            "info", "Nobody has a fallback by this", "Name a model for customers who need one, or an address."
        )


def _live() -> CorrectionQuerySet:
    rows: CorrectionQuerySet = Correction.objects.filter(state__in=IN_POLICY)
    return rows.select_related("package__incident").order_by("-pk")


def _precedence(said: policy.Correction, other: Correction, requests: int) -> str:
    both = f"{requests} requests of the last day are reached by both. " if requests else ""
    if other.kind == "exempt":
        return f"{both}It spares its scope from what it names: {summary(Terms.of(other))}."
    if isinstance(said.effect, policy.Exempt):
        named = other.reference in said.effect.corrections
        return both + (
            "It would be spared from." if named else "It goes on binding: the exemption does not name it."
        )
    if isinstance(said.effect, policy.Limiting) and issubclass(policy.EFFECTS[other.kind], policy.Limiting):
        return f"{both}Both count; the smaller limit speaks first."
    from_here = REFUSALS[type(said.effect)][0] <= REFUSALS[policy.EFFECTS[other.kind]][0]
    speaks = "what is proposed here speaks" if from_here else f"{other} speaks"
    return f"{both}Both bind; where both refuse, {speaks}: the stricter wins."


def _scopes_meet(said: policy.Correction, other: Correction) -> bool:
    """Tell whether somebody or something is named by both, or one of them names nobody."""
    scope, theirs = said.functionality, other.functionality
    apart = (
        name
        for name in scope.__struct_fields__
        if getattr(scope, name) and theirs.get(name) and not {*getattr(scope, name)} & {*theirs[name]}
    )
    if any(apart):
        return False
    if said.users.everyone or not any(other.users.values()):
        return True
    return any(
        {str(each) for each in getattr(said.users, name)}
        & {str(each) for each in other.users.get(name) or ()}
        for name in ("users", "organisations", "keys", "regions", "tiers")
    )
