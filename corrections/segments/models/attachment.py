"""Bytes that policies name by their digest."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Attachment(models.Model):
    """A list of subjects or a set of patterns, by content address. Append-only in PostgreSQL."""

    class Kind(models.TextChoices):
        SUBJECTS = "subjects", "List of subjects"
        PATTERNS = "patterns", "Set of patterns"

    digest = models.CharField(max_length=71, primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    size = models.PositiveIntegerField(help_text="Bytes.")
    count = models.PositiveIntegerField(help_text="Subjects or patterns.")
    raw = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(digest__startswith="sha256:"), name="attachment_digest_known"),
            models.CheckConstraint(
                condition=Q(kind__in=["subjects", "patterns"]), name="attachment_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.digest
