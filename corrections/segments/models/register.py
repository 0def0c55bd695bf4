"""What segments and pattern sets have in common: a reference, an owner, versions, an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from irapp.accounts.models import RoleCode

if TYPE_CHECKING:
    from typing import Self

    from irapp.accounts.models import User

_M_co = TypeVar("_M_co", bound=models.Model, covariant=True)
_PEOPLE = settings.AUTH_USER_MODEL


class Mode(models.TextChoices):
    """What an import does with the names of the file."""

    ADD = "add", "Add to it"
    REMOVE = "remove", "Remove from it"
    REPLACE = "replace", "Replace everything"


class RegisterQuerySet(models.QuerySet[_M_co]):
    """Questions that lists ask."""

    def visible_to(self, user: User) -> Self:
        """Whoever has a role sees them all."""
        return self if user.has_role(*RoleCode) else self.none()

    def current(self) -> Self:
        """Not retired."""
        return self.filter(retired_at=None)

    def matching(self, text: str) -> Self:
        """Whose reference, title or description holds the text."""
        found = Q(reference__iexact=text) | Q(title__icontains=text) | Q(description__icontains=text)
        return self.filter(found)


class Register(models.Model):
    """Something with a reference whose content lives in versions that never change.

    :ivar version: the number of the newest version; 0 until something was imported.
    :ivar revision: counts every change; a form or a preview is bound to the one it was made from.
    """

    incident_id: ClassVar[None] = None
    noun: ClassVar[str]
    unit: ClassVar[str]
    prefix: ClassVar[str]

    reference = models.CharField(max_length=20, unique=True)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")
    revision = models.PositiveIntegerField(default=1)
    version = models.PositiveIntegerField(default=0)
    count = models.PositiveIntegerField(default=0, help_text="Subjects or patterns of the newest version.")
    changed_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_by = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, blank=True, related_name="+")
    retired_reason = models.TextField(blank=True)

    objects = RegisterQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(retired_at=None, retired_by=None)
                | Q(retired_at__isnull=False, retired_by__isnull=False),
                name="%(class)s_retired_paired",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def subjects(self) -> str:
        """What it holds, in the plural."""
        return f"{self.unit}s"


class Version(models.Model):
    """One state of a register: who made it, when, why, from which file, and what changed."""

    number = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")
    reason = models.TextField()
    mode = models.CharField(max_length=10, choices=Mode.choices)
    source_name = models.CharField(max_length=250, blank=True)
    source_digest = models.CharField(max_length=71, blank=True)
    added = models.PositiveIntegerField()
    removed = models.PositiveIntegerField()
    skipped = models.PositiveIntegerField(default=0, help_text="Invalid rows that were left out on purpose.")
    count = models.PositiveIntegerField()

    class Meta:
        abstract = True
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="%(class)s_mode_known"),
        ]
