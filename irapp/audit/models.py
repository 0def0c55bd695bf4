"""Events are append-only in PostgreSQL itself; outbox rows are effects owed to the outside."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils import timezone


class EventText(models.Func):
    """The words of an event: its target, its actor and every text in its data. Indexed as it stands here."""

    template = "(to_tsvector('english', target_name || ' ' || actor_name) || to_tsvector('english', data))"
    output_field = SearchVectorField()


class Event(models.Model):
    """Something that happened. No foreign keys: it outlives what it tells of."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    verb = models.CharField(max_length=60, db_index=True)
    target_type = models.CharField(max_length=60)
    target_id = models.BigIntegerField()
    target_name = models.CharField(max_length=250)
    incident_id = models.BigIntegerField(null=True)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150)
    request_id = models.CharField(max_length=32, blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["incident_id", "-id"], name="event_by_incident"),
            models.Index(fields=["target_type", "target_id", "-id"], name="event_by_target"),
            models.Index(fields=["actor_id", "-id"], name="event_by_actor"),
            GinIndex(EventText(), name="event_search"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.target_name}"


class OutboxItem(models.Model):
    """One effect owed. A worker holds it by a lease; it is done only if the lease is still its own."""

    handler = models.CharField(max_length=60)
    key = models.CharField(max_length=120, help_text="What the effect is about; for people and for metrics.")
    payload = models.JSONField(default=dict)
    event_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    incident_id: int | None = None  # known to the event that caused it; filled in where it is needed

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(done_at=None, dead_at=None), name="outbox_owed"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(lease=None, leased_until=None)
                | Q(lease__isnull=False, leased_until__isnull=False),
                name="outbox_lease_paired",
            )
        ]

    def __str__(self) -> str:
        return f"{self.handler} {self.key}"
