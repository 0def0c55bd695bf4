"""Registers that exist without an incident: models, threats, plans, fallbacks."""

from __future__ import annotations

from typing import ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from incidents.states import Severity

_PEOPLE = settings.AUTH_USER_MODEL


_E_co = TypeVar("_E_co", bound=models.Model, covariant=True)


class EntryQuerySet(models.QuerySet[_E_co]):
    """Entries of a register."""

    def current(self) -> Self:
        """Not retired."""
        return self.filter(retired_at=None)


class Entry(models.Model):
    """What every entry of a register has: an owner, a date to look at it again, a revision."""

    kind: ClassVar[str]
    noun: ClassVar[str]
    incident_id: ClassVar[None] = None

    owner = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, blank=True, related_name="+")
    review_on = models.DateField("review on", null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_reason = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    revision = models.PositiveIntegerField(default=1)

    objects = EntryQuerySet.as_manager()

    class Meta:
        abstract = True

    def get_absolute_url(self) -> str:
        """Give the address of its page."""
        return reverse("preparation:entry", args=[self.kind, self.pk])


class DeployedModel(Entry):
    """A model that people use, by the name the gateways know it under."""

    kind = "models"
    noun = "model"

    class Access(models.TextChoices):
        API = "API", "API"
        OWN_APP = "OWN_APP", "Own application"
        CLOUD = "CLOUD", "Cloud reseller"
        INTERNAL = "INTERNAL", "Internal use"
        OPEN_WEIGHTS = "OPEN_WEIGHTS", "Open weights"

    name = models.CharField(max_length=100, unique=True, help_text="As the gateway names it.")
    title = models.CharField(max_length=200)
    access = models.CharField("access mode", max_length=20, choices=Access.choices, default=Access.API)
    description = models.TextField(blank=True)
    fallback_needed = models.BooleanField("a fallback is needed", default=True)
    fallback_reason = models.TextField("why no fallback is needed", blank=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(fallback_needed=True) | ~Q(fallback_reason=""), name="model_no_fallback_reasoned"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def can_be_restricted(self) -> bool:
        """Whoever holds the weights needs no access from us (P-12)."""
        return self.access != self.Access.OPEN_WEIGHTS


class Plan(Entry):
    """A response plan; its steps live in versions that never change."""

    kind = "plans"
    noun = "plan"

    title = models.CharField(max_length=200)
    purpose = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["title", "pk"]

    def __str__(self) -> str:
        return self.title


class PlanVersion(models.Model):
    """The steps of a plan as they were published; incidents are bound to one of these."""

    incident_id: ClassVar[None] = None

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    steps = models.JSONField(help_text="A list of {title, detail, minutes}, in order.")
    published_at = models.DateTimeField(default=timezone.now)
    published_by = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.plan} · version {self.number}"


class Threat(Entry):
    """Who could do what with which model, and what would be hurt (P-1)."""

    kind = "threats"
    noun = "threat"

    title = models.CharField(max_length=200)
    severity = models.CharField(max_length=10, choices=Severity.choices, blank=True)
    actor = models.TextField("actor or behaviour", blank=True)
    capability = models.TextField(blank=True)
    pathway = models.TextField(blank=True)
    assets = models.TextField("what is affected", blank=True)
    evidence = models.TextField(blank=True)
    deployed_models = models.ManyToManyField(DeployedModel, related_name="threats", blank=True)
    plans = models.ManyToManyField(Plan, related_name="threats", blank=True)

    class Meta:
        ordering: ClassVar = ["title", "pk"]
        verbose_name = "threat"

    def __str__(self) -> str:
        return self.title


class Fallback(Entry):
    """What those who depend on a model use while it is restricted (P-7)."""

    kind = "fallbacks"
    noun = "fallback"

    model = models.ForeignKey(DeployedModel, models.PROTECT, related_name="fallbacks")
    title = models.CharField(max_length=200)
    audience = models.CharField("for whom", max_length=200, blank=True)
    other_model = models.ForeignKey(
        DeployedModel, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="fallback model"
    )
    manual_process = models.TextField(blank=True)
    recovery_minutes = models.PositiveIntegerField("minutes until it serves", null=True, blank=True)
    tested_on = models.DateField("last tested on", null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["title", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(other_model__isnull=False) | ~Q(manual_process=""),
                name="fallback_leads_somewhere",
            ),
            models.CheckConstraint(
                condition=Q(other_model=None) | ~Q(other_model=models.F("model")), name="fallback_elsewhere"
            ),
        ]

    def __str__(self) -> str:
        return self.title
