"""What corrections ask of segments and pattern sets: which there are, what to name, what was named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from corrections.segments.models import (
    Attachment,
    Packing,
    PatternSet,
    PatternSetVersion,
    Segment,
    SegmentVersion,
)
from corrections.segments.selectors import members
from enforcement import policy
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Choice:
    """A segment or pattern set that a correction may name.

    :ivar of: ``user``, ``organisation`` or ``key``; empty for pattern sets.
    """

    reference: str
    title: str
    of: str
    version: int
    count: int


@dataclass(frozen=True)
class Named:
    """A version that a correction names, and the newest there is."""

    reference: str
    title: str
    of: str
    version: int
    newest: int
    count: int
    url: str

    def __str__(self) -> str:
        return f"{self.reference} version {self.version}"


def segment_choices() -> list[Choice]:
    """Give the segments in use that somebody is in, by title."""
    rows = Segment.objects.current().filter(count__gt=0).order_by("title", "pk")
    return [Choice(row.reference, row.title, row.of, row.version, row.count) for row in rows]


def pattern_choices() -> list[Choice]:
    """Give the pattern sets in use that hold something, by title."""
    rows = PatternSet.objects.current().filter(count__gt=0).order_by("title", "pk")
    return [Choice(row.reference, row.title, "", row.version, row.count) for row in rows]


def subject_lists(reference: str, version: int | None = None) -> tuple[policy.SubjectList, ...]:
    """Give the lists that a segment consists of, as the users scope of a policy names them.

    :param version: the newest one unless a number is given.
    :raises InvalidError: ``unknown_segment``, ``retired``, ``empty_segment``.
    """
    segment = Segment.objects.filter(reference=reference).first()
    if segment is None:
        raise InvalidError(f"There is no segment {reference}.", field="users.lists", code="unknown_segment")
    if segment.retired_at is not None and version is None:
        raise InvalidError(f"{segment} is retired.", field="users.lists", code="retired")
    packing = members.packing_of(members.version_of(segment, version))
    if packing is None or not packing.digests:
        raise InvalidError(f"Nobody is in {segment}.", field="users.lists", code="empty_segment")
    return tuple(
        policy.convert({"of": segment.of, "attachment": each.digest, "count": each.count}, policy.SubjectList)
        for each in (packing.base, packing.recent)
        if each is not None
    )


def patterns_ref(reference: str, version: int | None = None) -> policy.PatternsRef:
    """Give a pattern set as the parameters of a filter name it.

    :param version: the newest one unless a number is given.
    :raises InvalidError: ``unknown_patterns``, ``retired``, ``empty_patterns``.
    """
    field = "parameters.patterns"
    register = PatternSet.objects.filter(reference=reference).first()
    if register is None:
        raise InvalidError(f"There is no pattern set {reference}.", field=field, code="unknown_patterns")
    if register.retired_at is not None and version is None:
        raise InvalidError(f"{register} is retired.", field=field, code="retired")
    found = members.patterns_version(register, version)
    if found is None:
        raise InvalidError(f"Nothing is in {register}.", field=field, code="empty_patterns")
    name = f"{register.reference} {register.title}"
    return policy.PatternsRef(attachment=found.attachment_id, name=name, version=found.number)


def check_attachments(correction: policy.Correction) -> None:
    """Refuse a correction that names what nobody imported, or calls it what it is not.

    :raises InvalidError: naming the field.
    """
    wanted = policy.named_by(correction)
    rows = Attachment.objects.filter(digest__in=wanted).values_list("digest", "kind", "count")
    stored = {digest: (kind, count) for digest, kind, count in rows}
    for each in correction.users.lists:
        if stored.get(each.attachment) != (Attachment.Kind.SUBJECTS, each.count):
            raise _unknown(each.attachment, "users.lists", "list of subjects")
    _check_kinds(correction.users.lists)
    effect = correction.effect
    if isinstance(effect, policy.InputFilter | policy.OutputFilter):
        digest = effect.patterns.attachment
        if stored.get(digest, ("", 0))[0] != Attachment.Kind.PATTERNS:
            raise _unknown(digest, "parameters.patterns", "pattern set")


def described(users: policy.Users) -> list[Named]:
    """Give the segments that a users scope names, with their newest versions beside.

    A list that belongs to no segment is not among them.
    """
    digests = {each.attachment for each in users.lists}
    rows = Packing.objects.filter(Q(base__in=digests) | Q(recent__in=digests))
    newest: dict[int, SegmentVersion] = {}
    for packing in rows.select_related("version__segment").order_by("version__number"):
        if set(packing.digests) <= digests:
            newest[packing.version.segment_id] = packing.version
    return sorted((_named(version) for version in newest.values()), key=lambda named: named.reference)


def described_patterns(effect: policy.Effect) -> Named | None:
    """Give the pattern set that an effect names, with its newest version beside."""
    if not isinstance(effect, policy.InputFilter | policy.OutputFilter):
        return None
    rows = PatternSetVersion.objects.filter(attachment=effect.patterns.attachment)
    version = rows.select_related("pattern_set").first()
    if version is None:
        return None
    own = version.pattern_set
    url = own.get_absolute_url()
    return Named(own.reference, own.title, "", version.number, own.version, version.count, url)


def _named(version: SegmentVersion) -> Named:
    own = version.segment
    url = own.get_absolute_url()
    return Named(own.reference, own.title, own.of, version.number, own.version, version.count, url)


def _check_kinds(lists: Sequence[policy.SubjectList]) -> None:
    """The same list may be kept for users and for keys; a correction says the right one of them."""
    rows = Packing.objects.filter(
        Q(base__in=[each.attachment for each in lists]) | Q(recent__in=[each.attachment for each in lists])
    ).values_list("base_id", "recent_id", "version__segment__of")
    kinds = {(digest, of) for base, recent, of in rows for digest in (base, recent)}
    for each in lists:
        if (each.attachment, each.of) not in kinds:
            raise InvalidError(
                f"{each.attachment} is no list of {each.of}s.", field="users.lists", code="wrong_kind"
            )


def _unknown(digest: str, field: str, what: str) -> InvalidError:
    return InvalidError(f"{digest} is no {what} that was imported.", field=field, code="unknown_attachment")
