"""What one incident is bound to."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from incidents.models import Incident
from incidents.preparation.models.registers import Fallback, PlanVersion, Threat

_PEOPLE = settings.AUTH_USER_MODEL


class Binding(models.Model):
    """The threat, plan, authority and fallback of an incident; the plan's steps are frozen here."""

    incident = models.OneToOneField(Incident, models.CASCADE, related_name="binding")
    threat = models.ForeignKey(Threat, models.PROTECT, null=True, related_name="bindings")
    plan_version = models.ForeignKey(PlanVersion, models.PROTECT, null=True, related_name="bindings")
    plan_copy = models.JSONField(default=dict, help_text="Title, version and steps as they were when bound.")
    fallback = models.ForeignKey(Fallback, models.PROTECT, null=True, related_name="bindings")
    fallback_note = models.TextField(blank=True)
    fallback_at = models.DateTimeField(null=True)
    fallback_by = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, related_name="+")
    authority = models.TextField(blank=True, help_text="Who decides on restrictions in this incident.")
    authority_at = models.DateTimeField(null=True)
    authority_by = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(fallback_at=None, fallback_by=None, fallback=None, fallback_note="")
                | (
                    Q(fallback_at__isnull=False, fallback_by__isnull=False)
                    & (Q(fallback__isnull=False) | ~Q(fallback_note=""))
                ),
                name="binding_fallback_whole",
            ),
            models.CheckConstraint(
                condition=Q(authority_at=None, authority_by=None, authority="")
                | (Q(authority_at__isnull=False, authority_by__isnull=False) & ~Q(authority="")),
                name="binding_authority_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"Binding of {self.incident}"
