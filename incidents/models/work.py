"""The people on an incident, what they write down, what is left to do."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

from incidents.models.incident import Incident
from incidents.querysets import NOTE_TEXT, TaskQuerySet

_PEOPLE = settings.AUTH_USER_MODEL


class IncidentRole(models.Model):
    """Somebody's part in an incident. Ended parts stay on the record."""

    class Part(models.TextChoices):
        COMMANDER = "COMMANDER", "Commander"
        RESPONDER = "RESPONDER", "Responder"
        COMMUNICATOR = "COMMUNICATOR", "Communicator"
        SCRIBE = "SCRIBE", "Scribe"
        DECISION_MAKER = "DECISION_MAKER", "Decision-maker"

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="parts")
    user = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="parts")
    role = models.CharField(max_length=20, choices=Part.choices)
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "incident", "role"], condition=Q(until=None), name="part_once_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["incident"], condition=Q(until=None, role="COMMANDER"), name="part_one_commander"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}"


class Note(models.Model):
    """What somebody wrote, in Markdown. Earlier wordings stay readable."""

    class Kind(models.TextChoices):
        NOTE = "NOTE", "Note"
        ASSESSMENT = "ASSESSMENT", "Assessment"

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="notes")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.NOTE)
    author = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")
    body = models.TextField()
    written_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        indexes: ClassVar = [GinIndex(NOTE_TEXT, name="note_search")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=["NOTE", "ASSESSMENT"]), name="note_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class NoteVersion(models.Model):
    """A wording that was replaced."""

    note = models.ForeignKey(Note, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    body = models.TextField()
    written_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["note", "number"], name="note_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.note} version {self.number}"


class Task(models.Model):
    """Something to do for an incident; it ends as done, or as not needed with a reason."""

    class Outcome(models.TextChoices):
        DONE = "DONE", "Done"
        NOT_NEEDED = "NOT_NEEDED", "Not needed"

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="tasks")
    title = models.CharField(max_length=200)
    detail = models.TextField(blank=True)
    origin = models.CharField(max_length=120, blank=True, help_text="For example the plan it comes from.")
    owner = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, blank=True, related_name="tasks")
    due_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    outcome_note = models.TextField(blank=True)
    finished_by = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, blank=True, related_name="+")
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["owner", "due_at"], condition=Q(outcome=""), name="task_open_by_owner"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(outcome__in=["", "DONE", "NOT_NEEDED"]), name="task_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome="", finished_by=None, finished_at=None)
                | (~Q(outcome="") & Q(finished_by__isnull=False, finished_at__isnull=False)),
                name="task_end_whole",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="NOT_NEEDED", outcome_note=""), name="task_not_needed_reasoned"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Still to be done."""
        return not self.outcome


class SkippedCondition(models.Model):
    """A condition that a move left unmet; the incident cannot close before it is made up."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="skipped")
    move = models.CharField(max_length=30)
    code = models.CharField(max_length=60)
    label = models.CharField(max_length=200)
    reason = models.TextField()
    by = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    made_up_at = models.DateTimeField(null=True, blank=True)
    made_up_by = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["incident", "move", "code"],
                condition=Q(made_up_at=None),
                name="skipped_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(made_up_at=None, made_up_by=None)
                | Q(made_up_at__isnull=False, made_up_by__isnull=False),
                name="skipped_made_up_paired",
            ),
        ]

    def __str__(self) -> str:
        return self.label
