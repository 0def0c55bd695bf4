"""The policy as published, the gateways that acknowledge it, and what passed through them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from corrections.models.correction import Correction

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self

SILENT_AFTER = timedelta(seconds=5)
"""A gateway reports at least every two seconds; after this long it counts as silent. With the seconds until a
report is fetched and until somebody looks again, an alarm is up within ten."""
QUIET_WEBHOOK = timedelta(seconds=100)
"""A webhook is asked every thirty seconds; three times unanswered, it counts as silent."""


class _Global(models.Model):
    """A record that belongs to no incident; events about it say so."""

    incident_id: ClassVar[int | None] = None

    class Meta:
        abstract = True


class PolicyVersion(_Global):
    """One published policy. The bytes are what was signed and sent; append-only in PostgreSQL."""

    version = models.PositiveBigIntegerField(primary_key=True)
    content = models.BinaryField()
    raw = models.BinaryField()
    digest = models.CharField(max_length=71)
    key_id = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-version"]

    def __str__(self) -> str:
        return f"policy {self.version}"


class Hub(_Global):
    """An enforcement service that the policy is delivered to, as last heard."""

    url = models.CharField(max_length=300, unique=True)
    policy_version = models.PositiveBigIntegerField(null=True)
    policy_digest = models.CharField(max_length=71, blank=True)
    seen_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    error_since = models.DateTimeField(null=True)
    conflict_at = models.DateTimeField(
        null=True, help_text="It holds a policy that this application never published."
    )
    traffic_cursor = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar = ["url"]

    def __str__(self) -> str:
        return self.url


class GatewayQuerySet(models.QuerySet["Gateway"]):
    def shown(self) -> Self:
        """All that ever reported or were registered, until somebody retires them."""
        return self.filter(retired_at=None)

    def expected(self) -> Self:
        """The gateways whose word is waited for."""
        return self.shown().filter(required=True)


class Gateway(_Global):
    """A gateway, registered by its first report; one that is told by webhook, by an administrator."""

    class Kind(models.TextChoices):
        ENVOY = "envoy", "Envoy"
        WEBHOOK = "webhook", "Webhook"
        ADAPTER = "adapter", "Adapter"

    name = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.ENVOY)
    required = models.BooleanField(
        default=True, help_text="A correction is in force only when this gateway agrees."
    )
    registered_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True)
    retired_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    report = models.JSONField(null=True)
    reported_at = models.DateTimeField(null=True, help_text="By the gateway's clock: orders its reports.")
    seen_at = models.DateTimeField(null=True, help_text="By our clock: when its last new report arrived.")
    policy_version = models.PositiveBigIntegerField(null=True)
    policy_digest = models.CharField(max_length=71, blank=True)
    live = models.BooleanField(default=False, help_text="Its Envoy answers.")
    rejected = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    objects = GatewayQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(retired_at=None, retired_by=None)
                | Q(retired_at__isnull=False, retired_by__isnull=False),
                name="gateway_retired_paired",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def unobserved(self) -> bool:
        """It acknowledges, and that is all: nobody can probe it, and it reports nothing by itself."""
        return self.kind == self.Kind.WEBHOOK and self.report is None

    def reports_again(self, *, now: datetime) -> bool:
        """Something was heard of it since it was retired, and lately."""
        since = self.retired_at
        heard = since is not None and self.seen_at is not None and self.seen_at > since
        return heard and not self.is_silent(now=now)

    def is_silent(self, *, now: datetime) -> bool:
        """Nothing new was heard of it for longer than it may be quiet."""
        patience = QUIET_WEBHOOK if self.unobserved else SILENT_AFTER
        return self.seen_at is None or now - self.seen_at > patience


class CorrectionGateway(models.Model):
    """One correction at one gateway, as observed there."""

    correction = models.ForeignKey(Correction, models.CASCADE, related_name="at_gateways")
    gateway = models.ForeignKey(Gateway, models.CASCADE, related_name="corrections")
    verified = models.BooleanField(default=False)
    verified_once = models.BooleanField(default=False)
    state = models.CharField(max_length=20, blank=True)
    detail = models.TextField(blank=True)
    refused = models.PositiveBigIntegerField(default=0)
    probes = models.JSONField(default=list)
    checked_at = models.DateTimeField(null=True)
    wrong_since = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["gateway__name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["correction", "gateway"], name="correction_once_per_gateway")
        ]

    def __str__(self) -> str:
        return f"{self.correction} at {self.gateway}"


class Acknowledgement(models.Model):
    """From when on a gateway acknowledged which policy, by its own clock. Appended when it changes."""

    gateway = models.ForeignKey(Gateway, models.CASCADE, related_name="acknowledgements")
    version = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=71)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["gateway", "-at"], name="acknowledged_by_time")]

    def __str__(self) -> str:
        return f"{self.gateway} policy {self.version}"
