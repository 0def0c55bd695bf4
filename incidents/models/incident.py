"""The incident itself."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Cast, Concat, Greatest, Length, LPad
from django.urls import reverse
from django.utils import timezone
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from incidents.moves import URGENT, Move, Terms
from incidents.querysets import INCIDENT_TEXT, IncidentQuerySet
from incidents.states import ENDED, OPEN, Severity, State

_PEOPLE = settings.AUTH_USER_MODEL
_DIGITS = Cast("id", models.CharField())


class Incident(ConcurrentTransitionMixin, models.Model):
    """Something that may call for restricting a deployed model, from first report to lessons learnt."""

    reference = models.GeneratedField(
        expression=Concat(Value("INC-"), LPad(_DIGITS, Greatest(Length(_DIGITS), 4), Value("0"))),
        output_field=models.CharField(max_length=24),
        db_persist=True,
    )
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True)
    state = FSMField(choices=State.choices, default=State.PREPARATION, protected=True)
    severity = models.CharField(max_length=10, choices=Severity.choices, blank=True)
    model_name = models.CharField("affected model", max_length=100, blank=True)
    restricted = models.BooleanField(default=False, help_text="Only people with a need to know see it.")
    commander = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, blank=True, related_name="commanded")
    opened_by = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now)
    moved_at = models.DateTimeField(default=timezone.now, help_text="Since when it stands in this stage.")
    closed_at = models.DateTimeField(null=True, blank=True)
    emergency_at = models.DateTimeField(null=True, blank=True)
    emergency_by = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, blank=True, related_name="+")
    emergency_reason = models.TextField(blank=True)
    emergency_ended_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)
    rank = models.GeneratedField(
        expression=Case(
            When(emergency_at__isnull=False, emergency_ended_at=None, then=Value(0)),
            When(severity=Severity.CRITICAL, then=Value(1)),
            When(severity=Severity.HIGH, then=Value(2)),
            When(severity="", then=Value(3)),
            When(severity=Severity.MODERATE, then=Value(4)),
            default=Value(5),
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )

    objects = IncidentQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["rank", "id"], condition=Q(state__in=OPEN), name="incident_queue"),
            models.Index(fields=["state", "-id"], name="incident_by_state"),
            models.Index(
                fields=["commander", "rank", "id"],
                condition=Q(state__in=OPEN),
                name="incident_queue_of_commander",
            ),
            models.Index(fields=["reference"], name="incident_by_reference"),
            GinIndex(INCIDENT_TEXT, name="incident_search"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="incident_state_known"),
            models.CheckConstraint(
                condition=Q(severity__in=["", *Severity.values]), name="incident_severity_known"
            ),
            models.CheckConstraint(condition=~Q(title=""), name="incident_titled"),
            models.CheckConstraint(
                condition=Q(state__in=ENDED, closed_at__isnull=False)
                | (~Q(state__in=ENDED) & Q(closed_at=None)),
                name="incident_end_dated",
            ),
            models.CheckConstraint(
                condition=Q(
                    emergency_at=None, emergency_by=None, emergency_reason="", emergency_ended_at=None
                )
                | (Q(emergency_at__isnull=False, emergency_by__isnull=False) & ~Q(emergency_reason="")),
                name="incident_emergency_whole",
            ),
        ]

    def __str__(self) -> str:
        return str(self.reference)

    def get_absolute_url(self) -> str:
        """Give the address of its page."""
        return reverse("incidents:detail", args=[self.pk])

    @property
    def incident_id(self) -> int:
        """Its own key: an event about an incident belongs to that incident."""
        return int(self.pk)

    @property
    def topic(self) -> str:
        """The hint that tells open pages of a change."""
        return f"incident:{self.pk}"

    @property
    def is_open(self) -> bool:
        """Not closed and not dismissed."""
        return self.state in OPEN

    @property
    def is_emergency(self) -> bool:
        """An emergency was declared and execution has not been left since."""
        return self.emergency_at is not None and self.emergency_ended_at is None

    @property
    def moves(self) -> dict[str, Move]:
        """The moves that exist from here, whoever asks and whatever is missing."""
        every = self._meta.get_field("state").get_all_transitions(type(self))  # type: ignore[union-attr]
        found = (
            Move(move.name, State(move.source), State(move.target), move.custom["terms"]) for move in every
        )
        return {move.name: move for move in found if move.source == self.state}

    @transition(
        field=state,
        source=State.PREPARATION,
        target=State.MONITORING,
        custom={"terms": Terms("Begin monitoring", "incident.monitoring_begun", override=True)},
    )
    def begin_monitoring(self) -> None:
        """Bound to a threat, a plan and people: evidence is gathered."""

    @transition(
        field=state,
        source=State.MONITORING,
        target=State.EXECUTION,
        custom={"terms": Terms("Begin execution", "incident.execution_begun", override=True)},
    )
    def begin_execution(self) -> None:
        """The evidence calls for corrections: they are decided and enforced."""

    @transition(
        field=state,
        source=State.EXECUTION,
        target=State.POST_INCIDENT,
        custom={"terms": Terms("Begin post-incident", "incident.post_incident_begun", override=True)},
    )
    def begin_post_incident(self) -> None:
        """Harm is contained: service is restored, lessons are written."""

    @transition(
        field=state,
        source=State.POST_INCIDENT,
        target=State.CLOSED,
        custom={"terms": Terms("Close", "incident.closed")},
    )
    def close(self) -> None:
        """Everything is done and signed."""

    @transition(
        field=state,
        source=[State.PREPARATION, State.MONITORING],
        target=State.DISMISSED,
        custom={"terms": Terms("Dismiss", "incident.dismissed", reason=True, backwards=True)},
    )
    def dismiss(self) -> None:
        """Not an incident after all."""

    @transition(
        field=state,
        source=list(OPEN),
        target=State.EXECUTION,
        custom={"terms": Terms("Declare emergency", "incident.emergency_declared", URGENT, reason=True)},
    )
    def declare_emergency(self) -> None:
        """Harm is imminent: act now, make up afterwards for what was skipped."""

    @transition(
        field=state,
        source=State.EXECUTION,
        target=State.MONITORING,
        custom={"terms": Terms("Stand down", "incident.stood_down", reason=True, backwards=True)},
    )
    def stand_down(self) -> None:
        """No correction is called for now; keep watching."""

    @transition(
        field=state,
        source=State.POST_INCIDENT,
        target=State.EXECUTION,
        custom={"terms": Terms("Record recurrence", "incident.recurred", reason=True, backwards=True)},
    )
    def recur(self) -> None:
        """It happens again, or the correction did not hold."""

    @transition(
        field=state,
        source=list(ENDED),
        target=State.MONITORING,
        custom={"terms": Terms("Reopen", "incident.reopened", URGENT, reason=True, backwards=True)},
    )
    def reopen(self) -> None:
        """New facts about something that had ended."""

    @transition(
        field=state,
        source=State.MONITORING,
        target=State.PREPARATION,
        custom={
            "terms": Terms(
                "Return to preparation", "incident.returned_to_preparation", reason=True, backwards=True
            )
        },
    )
    def return_to_preparation(self) -> None:
        """What it was bound to does not fit."""
