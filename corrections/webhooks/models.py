"""Where policies are sent by webhook, the secrets they are signed with, and what became of each message."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from corrections.models import Gateway

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def kept(self) -> Self:
        """Every endpoint that was not removed."""
        return self.filter(removed_at=None).select_related("gateway")

    def sending(self) -> Self:
        """The endpoints that are sent to."""
        return self.kept().filter(paused_at=None)


class Endpoint(models.Model):
    """An address that policies are sent to. Its acknowledgements stand on its gateway, like any other's."""

    incident_id: ClassVar[int | None] = None

    gateway = models.OneToOneField(Gateway, models.PROTECT, related_name="webhook")
    url = models.CharField(max_length=500)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    paused_at = models.DateTimeField(null=True)
    paused_because = models.TextField(blank=True)
    removed_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True, help_text="When it was last asked what it holds.")
    failing_since = models.DateTimeField(null=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["gateway__name"]

    def __str__(self) -> str:
        return self.gateway.name


class SecretQuerySet(models.QuerySet["Secret"]):
    def current(self, *, now: datetime) -> Self:
        """What messages are signed with now, the newest first; two of them while one replaces the other."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=now)).order_by("-pk")


class Secret(models.Model):
    """A signing secret, sealed: whoever reads the database alone cannot sign with it."""

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="secrets")
    sealed = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True)

    objects = SecretQuerySet.as_manager()

    def __str__(self) -> str:
        return f"secret {self.pk} of {self.endpoint}"


class Delivery(models.Model):
    """One attempt to send one message. ``error`` is empty where it was acknowledged."""

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deliveries")
    message = models.CharField(max_length=80)
    event = models.CharField(max_length=40)
    version = models.PositiveBigIntegerField(null=True)
    at = models.DateTimeField()
    took_ms = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["endpoint", "-id"], name="delivery_by_endpoint")]

    def __str__(self) -> str:
        return f"{self.message} to {self.endpoint}"
