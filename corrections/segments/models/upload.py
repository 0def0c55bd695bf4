"""A file between its upload and the decision to take it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from corrections.segments.models.patterns import PatternSet
from corrections.segments.models.segment import Segment

if TYPE_CHECKING:
    from typing import Self

    from irapp.accounts.models import User


class UploadQuerySet(models.QuerySet["Upload"]):
    def of(self, user: User) -> Self:
        """Only who brought a file may take it in."""
        return self.filter(by=user)


class Upload(models.Model):
    """The bytes as they came, kept for a day. What a preview showed is bound to their digest."""

    segment = models.ForeignKey(Segment, models.CASCADE, null=True, related_name="uploads")
    pattern_set = models.ForeignKey(PatternSet, models.CASCADE, null=True, related_name="uploads")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now, db_index=True)
    name = models.CharField(max_length=250)
    raw = models.BinaryField()
    digest = models.CharField(max_length=71)

    objects = UploadQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(segment=None, pattern_set__isnull=False)
                | Q(segment__isnull=False, pattern_set=None),
                name="upload_for_one_register",
            ),
        ]

    def __str__(self) -> str:
        return self.name
