"""What the form offers to choose from: segments, pattern sets, corrections in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corrections.models import Correction
from corrections.panels.phrases import number
from corrections.panels.words import summary
from corrections.segments import registers
from corrections.segments.models import Packing
from corrections.states import IN_POLICY
from corrections.terms import Terms
from enforcement import policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from corrections.segments.registers import Choice, Named
    from irapp.accounts.models import User

Choices = list[tuple[str, str]]
LIST = "list"


def segments(named: Iterable[str] = ()) -> Choices:
    """Give the segments in use, in their newest versions; ``named`` stay, whatever became of them."""
    offered = {_frozen(each): _label(each) for each in registers.segment_choices()}
    return [
        *offered.items(),
        *((name, f"{name} (as it is named now)") for name in named if name not in offered),
    ]


def patterns(named: Iterable[str] = ()) -> Choices:
    """Give the pattern sets in use."""
    offered = {_frozen(each): _label(each) for each in registers.pattern_choices()}
    kept = [(name, f"{name} (as it is named now)") for name in named if name and name not in offered]
    return [("", "Choose a set of patterns"), *offered.items(), *kept]


def spared(reader: User, named: Iterable[str] = ()) -> Choices:
    """Give the corrections in force that this person can see and exempt from, each reference once."""
    seen = Correction.objects.visible_to(reader).filter(state__in=IN_POLICY).exclude(kind="exempt")
    live = seen.order_by("reference", "version")
    offered = {each.reference: f"{each.reference}: {summary(Terms.of(each))}" for each in live}
    return [
        *offered.items(),
        *((name, f"{name} (not in force, or not for you to see)") for name in named if name not in offered),
    ]


def newest_of(reference: str) -> list[str]:
    """Give a segment in its newest version, as the form names it; nothing for one that is not in use."""
    return [_frozen(each) for each in registers.segment_choices() if each.reference == reference]


def named_segments(users: Mapping[str, Any]) -> list[str]:
    """Give the lists of a scope as the form names them: by segment and version, else by address."""
    lists = users.get("lists") or ()
    scope = policy.convert({"lists": list(lists)}, policy.Users)
    known = registers.described(scope)
    covered = {digest for found in known for digest in _lists(found)}
    others = [
        f"{LIST}:{each.of}:{each.count}:{each.attachment}"
        for each in scope.lists
        if each.attachment not in covered
    ]
    return [*(f"{each.reference}.{each.version}" for each in known), *others]


def named_patterns(kind: str, parameters: Mapping[str, Any]) -> str:
    """Give the pattern set of a filter as the form names it."""
    if not isinstance(parameters.get("patterns"), dict):
        return str(parameters.get("patterns") or "")
    effect = policy.convert({"kind": kind, **parameters}, policy.EFFECTS[kind])
    found = registers.described_patterns(effect)  # type: ignore[arg-type]
    return f"{found.reference}.{found.version}" if found else ""


def as_lists(chosen: Iterable[str]) -> dict[str, list[Any]]:
    """Give what was chosen as a users scope takes it: segments to be frozen, and lists as they are."""
    lists = [name.split(":", 3)[1:] for name in chosen if name.startswith(f"{LIST}:")]
    return {
        "segments": [name for name in chosen if not name.startswith(f"{LIST}:")],
        "lists": [{"of": of, "count": int(count), "attachment": address} for of, count, address in lists],
    }


def _lists(found: Named) -> set[str]:
    """Give the lists of a version, in every way in which it was ever packed."""
    rows = Packing.objects.filter(version__segment__reference=found.reference, version__number=found.version)
    return {digest for row in rows for digest in row.digests}


def _frozen(choice: Choice) -> str:
    return f"{choice.reference}.{choice.version}"


def _label(choice: Choice) -> str:
    what = f"{choice.of}s" if choice.of else "patterns"
    return f"{choice.title} ({choice.reference} version {choice.version}: {number(choice.count)} {what})"
