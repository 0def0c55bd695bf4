"""People and what they may be asked to do."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import cached_property
from typing import ClassVar, Self

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from knox.models import AbstractAuthToken


class RoleCode(models.TextChoices):
    """The roles that rules speak of. Titles and descriptions are data (:class:`Role`)."""

    RESPONDER = "RESPONDER", "Responder"
    COMMANDER = "COMMANDER", "Incident commander"
    DUTY_OFFICER = "DUTY_OFFICER", "Duty officer"
    EXECUTIVE = "EXECUTIVE", "Executive"
    COMMUNICATOR = "COMMUNICATOR", "Communicator"
    AUDITOR = "AUDITOR", "Auditor"
    ADMINISTRATOR = "ADMINISTRATOR", "Administrator"


class Role(models.Model):
    """A role as the organisation describes it."""

    code = models.CharField(max_length=20, choices=RoleCode.choices, primary_key=True)
    name = models.CharField(max_length=80)
    description = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """An account. Votes are counted by ``person``: two accounts of one human are one voice."""

    incident_id = None  # events about people belong to no incident
    person = models.UUIDField(default=uuid.uuid4, editable=False, db_index=True)
    name = models.CharField("full name", max_length=150, blank=True)
    roles = models.ManyToManyField(
        Role, through="RoleGrant", through_fields=("user", "role"), related_name="people"
    )

    def __str__(self) -> str:
        return self.name or self.username

    @cached_property
    def current_roles(self) -> list[Role]:
        """The roles held now; read once per loaded user."""
        grants = RoleGrant.objects.current(now=timezone.now()).filter(user=self)
        return [grant.role for grant in grants.select_related("role").order_by("role__name")]

    @cached_property
    def role_codes(self) -> frozenset[str]:
        """The codes of the roles held now."""
        return frozenset(role.code for role in self.current_roles)

    @property
    def manages_people(self) -> bool:
        """Whether it is theirs to add people and give roles."""
        return self.has_role(RoleCode.ADMINISTRATOR)

    @property
    def sees_people(self) -> bool:
        """Whether the list of people is offered."""
        return self.has_role(RoleCode.ADMINISTRATOR, RoleCode.AUDITOR)

    def forget_roles(self) -> None:
        """Read the roles again when next asked: they have just been changed."""
        for name in ("current_roles", "role_codes"):
            vars(self).pop(name, None)

    def has_role(self, *codes: str) -> bool:
        """Hold at least one of the roles, with an active account."""
        return self.is_active and not self.role_codes.isdisjoint(codes)


class GrantQuerySet(models.QuerySet["RoleGrant"]):
    """Grants, past and present."""

    def current(self, *, now: datetime) -> Self:
        """Held at that moment."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=now))


class RoleGrant(models.Model):
    """Who holds which role since when, and who gave it."""

    user = models.ForeignKey(User, models.CASCADE, related_name="grants")
    role = models.ForeignKey(Role, models.PROTECT, related_name="grants")
    granted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    granted_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "role"], condition=Q(ends_at=None), name="grant_once_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role_id}"


class Scope(models.TextChoices):
    """What a token may do. There is no scope for decisions: a token may propose, never approve."""

    SIGNALS_WRITE = "signals:write", "Send signals"
    INCIDENTS_READ = "incidents:read", "Read signals and incidents"
    INCIDENTS_WRITE = "incidents:write", "Open and move incidents"
    CORRECTIONS_READ = "corrections:read", "Read corrections, proposals and decisions"
    CORRECTIONS_PROPOSE = "corrections:propose", "Draft and propose corrections"
    EVENTS_READ = "events:read", "Read the audit log"


class ApiToken(AbstractAuthToken):
    """A hashed token of one account, narrowed to scopes. It can never do more than the account."""

    label = models.CharField(max_length=80)
    scopes = ArrayField(models.CharField(max_length=30, choices=Scope.choices))

    def __str__(self) -> str:
        return self.label
