"""What callers asked for and what became of it: attributes only, never a prompt or an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self


class Outcome(models.TextChoices):
    """What a correction did to a request."""

    REFUSED = "REFUSED", "Refused"
    SHADOW = "SHADOW", "Would be refused"
    WARNED = "WARNED", "Warned"
    FLAGGED = "FLAGGED", "Flagged"
    MISSED = "MISSED", "Let through although it matches"


class TrafficRecordQuerySet(models.QuerySet["TrafficRecord"]):
    """Questions that estimates ask."""

    def between(self, since: datetime, until: datetime) -> Self:
        """The requests of a time; sum their ``weight``. Rows kept only as examples are left out."""
        return self.filter(at__gt=since, at__lte=until, weight__gt=0)


class TrafficRecord(models.Model):
    """The attributes of one request. Kept for a day, for impact estimates and as examples."""

    at = models.DateTimeField()
    gateway = models.CharField(max_length=200)
    user = models.CharField(max_length=200)
    organisation = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    application = models.CharField(max_length=200)
    use_case = models.CharField(max_length=200)
    region = models.CharField(max_length=200, blank=True, default="")
    tier = models.CharField(max_length=200, blank=True, default="")
    platform = models.CharField(max_length=200, blank=True, default="")
    endpoint = models.CharField(max_length=50)
    model = models.CharField(max_length=200)
    tools = ArrayField(models.CharField(max_length=200), default=list)
    features = ArrayField(models.CharField(max_length=40), default=list)
    stream = models.BooleanField(default=False)
    max_tokens = models.BigIntegerField(null=True)
    body_bytes = models.BigIntegerField(null=True)
    status = models.PositiveSmallIntegerField()
    correction = models.CharField(max_length=40, blank=True)
    policy = models.PositiveBigIntegerField(null=True, help_text="The version that decided.")
    tokens_in = models.BigIntegerField(null=True)
    tokens_out = models.BigIntegerField(null=True)
    weight = models.PositiveIntegerField(
        default=1, help_text="How many requests it stands for; 0 where it is kept as an example only."
    )

    objects = TrafficRecordQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["at"], name="traffic_by_time")]

    def __str__(self) -> str:
        return f"{self.model} {self.status}"


class TrafficMatch(models.Model):
    """A kept request that a correction did something to, or should have."""

    record = models.ForeignKey(TrafficRecord, models.CASCADE, related_name="matches")
    correction = models.CharField(max_length=40, help_text="By its name in the policy.")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    at = models.DateTimeField()
    noted_at = models.DateTimeField(default=timezone.now, help_text="By our clock: when we heard of it.")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["correction", "outcome", "-at"], name="match_by_correction"),
            models.Index(fields=["at"], name="match_by_time"),
            models.Index(fields=["noted_at"], condition=Q(outcome=Outcome.MISSED), name="match_missed"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="match_outcome_known")
        ]

    def __str__(self) -> str:
        return f"{self.outcome} by {self.correction}"


class RefusalCount(models.Model):
    """What one correction did to one user's requests in one minute (older rows: in one hour)."""

    correction = models.CharField(max_length=40, help_text="By its name in the policy.")
    minute = models.DateTimeField()
    organisation = models.CharField(max_length=200)
    user = models.CharField(max_length=200)
    refused = models.PositiveIntegerField(default=0)
    shadow = models.PositiveIntegerField(default=0)
    warned = models.PositiveIntegerField(default=0)
    flagged = models.PositiveIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["minute"], name="refusals_by_time")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["correction", "minute", "organisation", "user"], name="refusals_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.correction} {self.minute:%Y-%m-%d %H:%M}"


class TrafficSeen(models.Model):
    """Which records of one access log were counted: each once, from whichever hub they come."""

    gateway = models.CharField(max_length=200)
    log = models.CharField(max_length=64)
    ranges = models.JSONField(default=list, help_text="Pairs of first and last number, both counted.")
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["gateway", "log"], name="traffic_seen_once")]

    def __str__(self) -> str:
        return f"{self.gateway} {self.log}"
