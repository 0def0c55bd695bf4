"""Pattern sets: terms and regular expressions that content filters look for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.urls import reverse

from corrections.segments.models.attachment import Attachment
from corrections.segments.models.register import Register, Version

if TYPE_CHECKING:
    from typing import Self


class PatternSet(Register):
    """A named set of patterns."""

    noun: ClassVar[str] = "pattern set"
    unit: ClassVar[str] = "pattern"
    prefix: ClassVar[str] = "PAT"

    class Meta(Register.Meta):
        pass

    def get_absolute_url(self) -> str:
        """Give the address of its page."""
        return reverse("segments:pattern_set", args=[self.pk])


class PatternSetVersionQuerySet(models.QuerySet["PatternSetVersion"]):
    def in_full(self) -> Self:
        """With who made it, for lists."""
        return self.select_related("by")


class PatternSetVersion(Version):
    """The patterns as they were at one time. Append-only in PostgreSQL."""

    pattern_set = models.ForeignKey(PatternSet, models.PROTECT, related_name="versions")
    attachment = models.ForeignKey(Attachment, models.PROTECT, related_name="+")
    changed = models.PositiveIntegerField(default=0)

    objects = PatternSetVersionQuerySet.as_manager()

    class Meta(Version.Meta):
        constraints: ClassVar = [
            *Version.Meta.constraints,
            models.UniqueConstraint(fields=["pattern_set", "number"], name="pattern_set_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.pattern_set} version {self.number}"
