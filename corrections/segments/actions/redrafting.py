"""Bringing corrections up to a new version of what they name: as drafts, to be decided like any other.

An approved correction keeps the list it was approved with. Nobody widens it by importing a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db import transaction

from corrections import actions as corrections
from corrections.models import Correction
from corrections.segments import policies
from corrections.segments.models import PatternSet, Register, Segment
from corrections.segments.registers import patterns_ref, subject_lists
from corrections.segments.selectors import usage
from corrections.terms import Terms
from enforcement import policy
from irapp.common.errors import DomainError

if TYPE_CHECKING:
    from irapp.accounts.models import User


@dataclass(frozen=True)
class Redrafted:
    """The drafts that were made, and why others were not."""

    drafts: tuple[Correction, ...]
    refused: Mapping[str, str]


def redraft(*, register: Register, by: User) -> Redrafted:
    """Draft a next version of every correction in force that names an older version of this list.

    Each stands by itself: one that cannot be changed now does not hold up the others.
    """
    policies.check_can_change(register, by)
    drafts, refused = [], {}
    for use in outdated(register, by=by):
        try:
            drafts.append(_drafted(use, register, by=by))
        except DomainError as error:
            refused[str(use.correction)] = str(error)
    return Redrafted(tuple(drafts), refused)


def outdated(register: Register, *, by: User) -> list[usage.Use]:
    """Give the corrections in force that this person may see and that name an older version."""
    uses = usage.uses(register)
    seen = Correction.objects.visible_to(by).filter(pk__in=[use.correction.pk for use in uses])
    may_see = set(seen.values_list("pk", flat=True))
    return [use for use in uses if use.wanted and not use.current and use.correction.pk in may_see]


@transaction.atomic
def _drafted(use: usage.Use, register: Register, *, by: User) -> Correction:
    terms = Terms.of(use.correction)
    if isinstance(register, Segment):
        terms = replace(terms, users=_exchanged(terms.users, register))
    elif isinstance(register, PatternSet):
        patterns = _plain(patterns_ref(register.reference))
        terms = replace(terms, parameters={**terms.parameters, "patterns": patterns})
    return corrections.draft_version(correction_id=use.correction.pk, terms=terms, by=by)


def _exchanged(users: Mapping[str, object], segment: Segment) -> dict[str, object]:
    """Give the users scope with the newest list of this segment in place of its older ones."""
    old = usage.digests_of(segment)
    lists = users.get("lists")
    others = [each for each in (lists if isinstance(lists, list) else []) if each["attachment"] not in old]
    newest = [_plain(each) for each in subject_lists(segment.reference)]
    return {**users, "lists": [*others, *newest]}


def _plain(struct: policy.SubjectList | policy.PatternsRef) -> dict[str, object]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}
