"""Which corrections name a segment or a pattern set, and which version of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from corrections.models import Correction
from corrections.segments.models import Packing, PatternSet, PatternSetVersion, Segment
from corrections.states import IN_POLICY, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from corrections.segments.models import Register

BINDING = frozenset({*IN_POLICY, State.PROPOSED, State.APPROVED, State.LIFTING})
"""Asked for, or not yet shown to be gone: what these name stays in use."""


@dataclass(frozen=True)
class Use:
    """A correction and the version that it was written with."""

    correction: Correction
    version: int
    current: bool

    @property
    def wanted(self) -> bool:
        """It is in force, so that a newer list would matter to it."""
        return self.correction.state in IN_POLICY

    def __str__(self) -> str:
        return str(self.correction)


def named_lists(correction: Correction) -> frozenset[str]:
    """Give the digests of the lists that a correction names."""
    lists = correction.users.get("lists") or []
    return frozenset(each["attachment"] for each in lists)


def named_patterns(correction: Correction) -> str:
    """Give the digest of the pattern set that a correction names, if it does."""
    return str((correction.parameters.get("patterns") or {}).get("attachment", ""))


def segment_uses(segment: Segment) -> list[Use]:
    """Give the corrections that name this segment, the newest first."""
    return _uses_of(segment, segments_named(_with_lists(), segment=segment))


def pattern_set_uses(register: PatternSet) -> list[Use]:
    """Give the corrections that name this pattern set, the newest first."""
    return _uses_of(register, patterns_named(_with_patterns(), pattern_set=register))


def uses(register: Register) -> list[Use]:
    """Give the corrections that name this, of whatever kind it is."""
    if isinstance(register, Segment):
        return segment_uses(register)
    return pattern_set_uses(register) if isinstance(register, PatternSet) else []


def digests_of(segment: Segment) -> frozenset[str]:
    """Give every attachment that a version of this segment ever consisted of."""
    rows = Packing.objects.filter(version__segment=segment).values_list("base_id", "recent_id")
    return frozenset(digest for row in rows for digest in row if digest)


def segment_use_counts() -> dict[int, int]:
    """Count the corrections of every segment that is named, by its id."""
    return _counted(segments_named(_with_lists()))


def pattern_set_use_counts() -> dict[int, int]:
    """Count the corrections of every pattern set that is named, by its id."""
    return _counted(patterns_named(_with_patterns()))


def segments_named(
    corrections: Iterable[Correction], *, segment: Segment | None = None
) -> dict[Correction, dict[int, int]]:
    """Give the version of each segment that each correction names: ``{correction: {segment id: number}}``.

    A version is named where all its attachments are; of several such versions the newest is meant.
    """
    lists = {correction: named_lists(correction) for correction in corrections}
    packed = _packed(frozenset[str]().union(*lists.values()), segment)
    return {correction: _newest_within(digests, packed) for correction, digests in lists.items()}


def patterns_named(
    corrections: Iterable[Correction], *, pattern_set: PatternSet | None = None
) -> dict[Correction, dict[int, int]]:
    """Give the version of the pattern set that each correction names, shaped as for segments."""
    named = {correction: named_patterns(correction) for correction in corrections}
    rows = PatternSetVersion.objects.filter(attachment__in={digest for digest in named.values() if digest})
    if pattern_set is not None:
        rows = rows.filter(pattern_set=pattern_set)
    found = {row[0]: row[1:] for row in rows.values_list("attachment_id", "pattern_set_id", "number")}
    return {each: dict([found[digest]] if digest in found else []) for each, digest in named.items()}


def _with_lists() -> list[Correction]:
    named = Correction.objects.filter(users__has_key="lists").exclude(users__lists=[])
    return list(named.filter(state__in=BINDING).select_related("package__incident"))


def _with_patterns() -> list[Correction]:
    named = Correction.objects.filter(parameters__has_key="patterns")
    return list(named.filter(state__in=BINDING).select_related("package__incident"))


def _packed(
    digests: frozenset[str], segment: Segment | None
) -> dict[str, list[tuple[frozenset[str], int, int]]]:
    """Give the versions that consist of these attachments, by each attachment."""
    rows = Packing.objects.filter(Q(base__in=digests) | Q(recent__in=digests))
    if segment is not None:
        rows = rows.filter(version__segment=segment)
    packed = defaultdict(list)
    for base, recent, owner, number in rows.order_by().values_list(
        "base_id", "recent_id", "version__segment_id", "version__number"
    ):
        whole = frozenset(digest for digest in (base, recent) if digest)
        for digest in whole & digests:
            packed[digest].append((whole, owner, number))
    return packed


def _newest_within(
    digests: frozenset[str], packed: Mapping[str, list[tuple[frozenset[str], int, int]]]
) -> dict[int, int]:
    newest: dict[int, int] = {}
    for digest in digests:
        for whole, owner, number in packed.get(digest, ()):
            if whole <= digests:
                newest[owner] = max(number, newest.get(owner, 0))
    return newest


def _uses_of(register: Register, named: Mapping[Correction, Mapping[int, int]]) -> list[Use]:
    uses = [
        Use(correction, versions[register.pk], versions[register.pk] == register.version)
        for correction, versions in named.items()
        if register.pk in versions
    ]
    return sorted(uses, key=lambda use: use.correction.pk, reverse=True)


def _counted(named: Mapping[Correction, Mapping[int, int]]) -> dict[int, int]:
    counts: dict[int, int] = defaultdict(int)
    for versions in named.values():
        for owner in versions:
            counts[owner] += 1
    return counts
