"""Where signals come from, the signals, and the groups people deal with."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.urls import reverse
from django.utils import timezone
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from incidents.models import Incident, Severity
from incidents.monitoring.querysets import SignalGroupQuerySet, SignalQuerySet, SourceQuerySet
from incidents.monitoring.states import UNLINKED, Kind, State

_PEOPLE = settings.AUTH_USER_MODEL


class Source(models.Model):
    """Somebody or something that tells us about a model."""

    incident_id: ClassVar[None] = None

    code = models.SlugField(max_length=60, unique=True, help_text="How senders name it.")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    owner = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, blank=True, related_name="+")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="source_kind_known"),
        ]

    def __str__(self) -> str:
        return self.name


class SignalGroup(ConcurrentTransitionMixin, models.Model):
    """Signals with the same fingerprint: one thing for people to deal with, however often it was reported."""

    fingerprint = models.CharField(max_length=200, unique=True)
    title = models.CharField(max_length=200)
    model_name = models.CharField("affected model", max_length=100, blank=True)
    severity = models.CharField(
        max_length=10, choices=Severity.choices, blank=True, help_text="The worst that a signal suggested."
    )
    state = FSMField(choices=State.choices, default=State.NEW, protected=True)
    count = models.PositiveIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    waiting_since = models.DateTimeField(default=timezone.now, help_text="Since when it is new.")
    incident = models.ForeignKey(
        Incident, models.PROTECT, null=True, blank=True, related_name="signal_groups",
        help_text="What it belongs to now, or belonged to before it came back.",
    )  # fmt: skip
    acknowledged_by = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, blank=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, blank=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_reason = models.TextField(blank=True)
    rank = models.GeneratedField(
        expression=Case(
            When(severity=Severity.CRITICAL, then=Value(1)),
            When(severity=Severity.HIGH, then=Value(2)),
            When(severity="", then=Value(3)),
            When(severity=Severity.MODERATE, then=Value(4)),
            default=Value(5),
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )

    objects = SignalGroupQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["rank", "waiting_since", "id"], condition=Q(state="NEW"), name="group_new"),
            models.Index(fields=["-id"], condition=Q(state__in=UNLINKED), name="group_unlinked"),
            models.Index(fields=["state", "-id"], name="group_by_state"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="group_state_known"),
            models.CheckConstraint(
                condition=Q(severity__in=["", *Severity.values]), name="group_severity_known"
            ),
            models.CheckConstraint(
                condition=Q(acknowledged_by=None, acknowledged_at=None)
                | Q(acknowledged_by__isnull=False, acknowledged_at__isnull=False),
                name="group_acknowledged_paired",
            ),
            models.CheckConstraint(
                condition=~Q(state="ACKNOWLEDGED", acknowledged_at=None), name="group_acknowledged_dated"
            ),
            models.CheckConstraint(
                condition=(
                    Q(state="CLOSED", closed_by__isnull=False, closed_at__isnull=False) & ~Q(closed_reason="")
                )
                | (~Q(state="CLOSED") & Q(closed_by=None, closed_at=None, closed_reason="")),
                name="group_closed_whole",
            ),
            models.CheckConstraint(
                condition=~Q(state="LINKED", incident=None), name="group_linked_somewhere"
            ),
            models.CheckConstraint(
                condition=Q(first_seen_at__lte=F("last_seen_at")), name="group_seen_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def get_absolute_url(self) -> str:
        """Give the address of its page."""
        return reverse("monitoring:signal", args=[self.pk])

    @property
    def reference(self) -> str:
        """How people name it to each other."""
        return f"SIG-{self.pk:04d}"

    @property
    def topic(self) -> str:
        """Where open pages hear that it changed."""
        return f"signalgroup:{self.pk}"

    @property
    def is_unlinked(self) -> bool:
        """Somebody has still to say what it belongs to."""
        return self.state in UNLINKED

    @transition(field=state, source=State.NEW, target=State.ACKNOWLEDGED)
    def acknowledge(self) -> None:
        """Somebody is looking at it."""

    @transition(field=state, source=[State.NEW, State.ACKNOWLEDGED, State.LINKED], target=State.LINKED)
    def link(self) -> None:
        """It belongs to an incident; a wrong link is put right by another."""

    @transition(field=state, source=list(UNLINKED), target=State.CLOSED)
    def close(self) -> None:
        """It calls for nothing; the reason says why."""

    @transition(field=state, source=State.CLOSED, target=State.NEW)
    def reopen(self) -> None:
        """It was closed too early."""

    @transition(field=state, source=[State.CLOSED, State.LINKED], target=State.NEW)
    def come_back(self) -> None:
        """A signal arrived after it was closed, or after the incident it belonged to had ended."""


class Link(models.Model):
    """That a group was found to belong to an incident; stays on the record when it comes back later."""

    group = models.ForeignKey(SignalGroup, models.CASCADE, related_name="links")
    incident = models.ForeignKey(Incident, models.CASCADE, related_name="signal_links")
    by = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["incident", "group"], name="link_once"),
        ]

    def __str__(self) -> str:
        return f"{self.group} – {self.incident}"


class Signal(models.Model):
    """One report, exactly as it was received."""

    source = models.ForeignKey(Source, models.PROTECT, related_name="signals")
    key = models.CharField(
        max_length=200, help_text="The sender's own name for it: sent again, it is the same."
    )
    digest = models.CharField(max_length=64, help_text="SHA-256 of what was sent under the key.")
    group = models.ForeignKey(SignalGroup, models.PROTECT, related_name="signals", db_index=False)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    severity = models.CharField("suggested severity", max_length=10, choices=Severity.choices, blank=True)
    model_name = models.CharField("affected model", max_length=100, blank=True)
    observed_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    received_from = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+", db_index=False)
    data = models.JSONField(default=dict, blank=True)

    objects = SignalQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["group", "-id"], name="signal_by_group")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "key"], name="signal_key_once"),
            models.CheckConstraint(
                condition=Q(severity__in=["", *Severity.values]), name="signal_severity_known"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def facts(self) -> list[tuple[str, object]]:
        """The data as pairs; a template would take a name “items” for the method."""
        return list(self.data.items())
