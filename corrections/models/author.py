"""Who had a hand in a correction before it was decided: they do not decide on it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from corrections.models.correction import Correction


class Did(models.TextChoices):
    """What somebody did with a draft."""

    WROTE = "WROTE", "wrote on it"
    PROPOSED = "PROPOSED", "proposed it"


class Author(models.Model):
    """Somebody wrote a revision of a correction, or asked for it. Append-only in PostgreSQL."""

    correction = models.ForeignKey(Correction, models.PROTECT, related_name="authors")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    did = models.CharField(max_length=10, choices=Did.choices)
    revision = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(did__in=Did.values), name="author_did_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.get_did_display()}"
