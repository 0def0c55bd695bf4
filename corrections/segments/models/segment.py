"""Segments: users, organisations or keys that corrections name together."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from corrections.segments.models.attachment import Attachment
from corrections.segments.models.register import Register, Version

if TYPE_CHECKING:
    from typing import Self


class Segment(Register):
    """A named list of subjects of one kind."""

    noun: ClassVar[str] = "segment"
    prefix: ClassVar[str] = "SEG"

    class Of(models.TextChoices):
        USER = "user", "Users"
        ORGANISATION = "organisation", "Organisations"
        KEY = "key", "API keys"

    of = models.CharField(max_length=12, choices=Of.choices)

    class Meta(Register.Meta):
        constraints: ClassVar = [
            *Register.Meta.constraints,
            models.CheckConstraint(
                condition=Q(of__in=["user", "organisation", "key"]), name="segment_of_known"
            ),
        ]

    def get_absolute_url(self) -> str:
        """Give the address of its page."""
        return reverse("segments:segment", args=[self.pk])

    @property
    def unit(self) -> str:  # type: ignore[override]
        """What one of its subjects is called."""
        return self.of


class SegmentVersionQuerySet(models.QuerySet["SegmentVersion"]):
    def in_full(self) -> Self:
        """With who made it and what it consists of, for lists."""
        packings = models.Prefetch("packings", Packing.objects.without_bytes())
        return self.select_related("by", "segment").prefetch_related(packings)


class PackingQuerySet(models.QuerySet["Packing"]):
    def without_bytes(self) -> Self:
        """With its attachments, but not their content."""
        return self.select_related("base", "recent").defer("base__raw", "recent__raw")


class SegmentVersion(Version):
    """Who belongs to a segment. Append-only in PostgreSQL."""

    segment = models.ForeignKey(Segment, models.PROTECT, related_name="versions")

    objects = SegmentVersionQuerySet.as_manager()

    class Meta(Version.Meta):
        constraints: ClassVar = [
            *Version.Meta.constraints,
            models.UniqueConstraint(fields=["segment", "number"], name="segment_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.segment} version {self.number}"


class Packing(models.Model):
    """The attachments that a version consists of; the newest packing is the one to use. Append-only.

    One big base and a small recent list: so one more subject means a small new attachment. A version is
    packed again in the background when its recent list has grown; who belongs to it stays the same.
    """

    version = models.ForeignKey(SegmentVersion, models.PROTECT, related_name="packings")
    at = models.DateTimeField(default=timezone.now)
    base = models.ForeignKey(Attachment, models.PROTECT, null=True, related_name="+")
    recent = models.ForeignKey(Attachment, models.PROTECT, null=True, related_name="+")

    objects = PackingQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.version} packed"

    @property
    def digests(self) -> tuple[str, ...]:
        """The addresses, base first."""
        return tuple(digest for digest in (self.base_id, self.recent_id) if digest)
