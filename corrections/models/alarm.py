"""Something is not as it was decided, and somebody has to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from corrections.models.correction import Correction
from corrections.models.gateway import Gateway, Hub

if TYPE_CHECKING:
    from typing import Self

    from irapp.accounts.models import User


class AlarmKind(models.TextChoices):
    """What is wrong. The gravest first: pages show them in this order."""

    ALLOWED = "ALLOWED", "Let through"
    DRIFT = "DRIFT", "Drift"
    CONFLICT = "CONFLICT", "Policy conflict"
    REJECTION = "REJECTION", "Rejected"
    FAILED = "FAILED", "Not enforced"
    SILENCE = "SILENCE", "Silence"
    HUB = "HUB", "Service away"
    NOT_LIFTED = "NOT_LIFTED", "Not lifted"
    HELD = "HELD", "Expiry held"


class AlarmQuerySet(models.QuerySet["Alarm"]):
    """Questions that banners, inboxes and the list ask."""

    def visible_to(self, user: User) -> Self:
        """Alarms of the plant are for everybody; those of a correction for whoever may see it."""
        return self.filter(Q(correction=None) | Q(correction__in=Correction.objects.visible_to(user)))

    def open(self) -> Self:
        """Not healed yet."""
        return self.filter(cleared_at=None)


class Alarm(models.Model):
    """One cause, from the fault to its healing. Raised and cleared by what is observed, seen by people.

    Exactly one of ``correction``, ``gateway`` and ``hub`` is what it is about; ``cause`` names it.
    """

    kind = models.CharField(max_length=10, choices=AlarmKind.choices)
    cause = models.CharField(max_length=60)
    correction = models.ForeignKey(Correction, models.PROTECT, null=True, related_name="alarms")
    gateway = models.ForeignKey(Gateway, models.PROTECT, null=True, related_name="alarms")
    hub = models.ForeignKey(Hub, models.PROTECT, null=True, related_name="alarms")
    detail = models.TextField()
    examples = models.JSONField(default=list, help_text="Attributes of requests, where it is about some.")
    since = models.DateTimeField(help_text="When the fault began, as far as it is known.")
    raised_at = models.DateTimeField(default=timezone.now)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    cleared_at = models.DateTimeField(null=True)
    cleared_because = models.CharField(max_length=500, blank=True)

    objects = AlarmQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "cause"], condition=Q(cleared_at=None), name="alarm_one_open_per_cause"
            ),
            models.CheckConstraint(condition=Q(kind__in=AlarmKind.values), name="alarm_kind_known"),
            models.CheckConstraint(
                condition=Q(correction__isnull=False, gateway=None, hub=None)
                | Q(correction=None, gateway__isnull=False, hub=None)
                | Q(correction=None, gateway=None, hub__isnull=False),
                name="alarm_about_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(acknowledged_at=None, acknowledged_by=None)
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False),
                name="alarm_acknowledged_paired",
            ),
            models.CheckConstraint(
                condition=Q(cleared_at=None, cleared_because="")
                | (Q(cleared_at__isnull=False) & ~Q(cleared_because="")),
                name="alarm_cleared_paired",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.target}"

    def get_absolute_url(self) -> str:
        """Give the address of its page."""
        return reverse("corrections:alarm", args=[self.pk])

    @property
    def target(self) -> Correction | Gateway | Hub:
        """What it is about."""
        return self.correction or self.gateway or self.hub  # type: ignore[return-value]  # one is set

    @property
    def incident_id(self) -> int | None:
        """The incident that events about it belong to."""
        return self.correction.incident_id if self.correction else None

    @property
    def is_open(self) -> bool:
        """Whether it is not healed yet."""
        return self.cleared_at is None
