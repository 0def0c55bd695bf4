"""The after-action review, what it found, and who signed which bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from incidents.models import Incident
from incidents.post_incident.states import State

if TYPE_CHECKING:
    from typing import Self

    from irapp.accounts.models import User

_PEOPLE = settings.AUTH_USER_MODEL


class ReviewQuerySet(models.QuerySet["Review"]):
    """Questions that pages and inboxes ask."""

    def visible_to(self, user: User) -> Self:
        """Whoever sees the incident sees its review."""
        return self.filter(incident__in=Incident.objects.visible_to(user))

    def awaiting_signature(self, user: User) -> Self:
        """Submitted by somebody else, and not signed yet."""
        waiting = self.visible_to(user).filter(state=State.IN_REVIEW)
        return waiting.exclude(submitted_by__person=user.person).exclude(author__person=user.person)


class Review(ConcurrentTransitionMixin, models.Model):
    """What happened, and how well it was handled (framework R-4). One for each incident."""

    incident = models.OneToOneField(Incident, models.PROTECT, related_name="review")
    author = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")
    begun_at = models.DateTimeField(default=timezone.now)
    summary = models.TextField(blank=True)
    went_well = models.TextField("what worked", blank=True)
    went_badly = models.TextField("what did not", blank=True)
    decision_quality = models.TextField("quality of the decisions", blank=True)
    harm_of_correction = models.TextField("harm done by the corrections themselves", blank=True)
    revision = models.PositiveIntegerField(default=1)
    state = FSMField(default=State.DRAFT, choices=State.choices, protected=True)
    submitted_by = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, related_name="+")

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="review_state_known"),
            models.CheckConstraint(
                condition=Q(state=State.DRAFT) | Q(submitted_by__isnull=False),
                name="review_submitted_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"review of {self.incident}"

    def get_absolute_url(self) -> str:
        """Give the address of its page."""
        return reverse("post_incident:review", args=[self.incident_id])

    @transition(field=state, source=State.DRAFT, target=State.IN_REVIEW)
    def submit(self) -> None:
        """Put exactly this content before the auditors."""

    @transition(field=state, source=[State.IN_REVIEW, State.SIGNED], target=State.DRAFT)
    def return_to_draft(self) -> None:
        """An edit, or an auditor's comments: what was signed no longer counts."""

    @transition(field=state, source=State.IN_REVIEW, target=State.SIGNED)
    def sign(self) -> None:
        """An independent auditor put their name to it."""


class Finding(models.Model):
    """A lesson. It leads to something changed in the preparation, or somebody says why not (R-5)."""

    class Changed(models.TextChoices):
        THREAT = "THREAT", "Threat model"
        TRIGGER = "TRIGGER", "Trigger"
        PLAN = "PLAN", "Plan"
        AUTHORITY = "AUTHORITY", "Authority"
        DETECTOR = "DETECTOR", "Detector or source"
        AGREEMENT = "AGREEMENT", "Agreement or fallback"

    review = models.ForeignKey(Review, models.PROTECT, related_name="findings")
    title = models.CharField(max_length=200)
    detail = models.TextField(blank=True)
    root_cause = models.BooleanField(
        default=False, help_text="A root cause; several may stand side by side, contested."
    )
    changed = models.CharField("what it changed", max_length=12, choices=Changed.choices, blank=True)
    change = models.CharField("which one, and how", max_length=500, blank=True)
    waived_reason = models.TextField(blank=True)
    waived_by = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, related_name="+")
    added_by = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(changed="", change="") | (~Q(changed="") & ~Q(change="")),
                name="finding_change_paired",
            ),
            models.CheckConstraint(
                condition=Q(waived_by=None, waived_reason="")
                | (Q(waived_by__isnull=False) & ~Q(waived_reason="")),
                name="finding_waiver_paired",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def incident_id(self) -> int:
        """The incident that events about it belong to."""
        return self.review.incident_id

    @property
    def is_settled(self) -> bool:
        """Fed back, or waived with a reason."""
        return bool(self.changed or self.waived_reason)


class FollowUp(models.Model):
    """Something to do after the incident, with an owner and a date. It may outlive the incident."""

    review = models.ForeignKey(Review, models.PROTECT, related_name="follow_ups")
    title = models.CharField(max_length=200)
    owner = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="follow_ups")
    due_at = models.DateTimeField()
    added_by = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["due_at", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(done_at=None, done_by=None) | Q(done_at__isnull=False, done_by__isnull=False),
                name="follow_up_done_paired",
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def incident_id(self) -> int:
        """The incident that events about it belong to."""
        return self.review.incident_id


class Submission(models.Model):
    """What was put before the auditors, byte by byte. Append-only in PostgreSQL."""

    review = models.ForeignKey(Review, models.PROTECT, related_name="submissions")
    number = models.PositiveIntegerField()
    content = models.BinaryField()
    digest = models.CharField(max_length=71)
    by = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review", "number"], name="submission_numbered_once"),
            models.CheckConstraint(condition=Q(digest__startswith="sha256:"), name="submission_digest_known"),
        ]

    def __str__(self) -> str:
        return f"{self.review}, version {self.number}"


class Signature(models.Model):
    """A person's name under one submission. Append-only in PostgreSQL."""

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="signatures")
    user = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")
    person = models.UUIDField()
    digest = models.CharField(max_length=71)
    comment = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["submission", "person"], name="signature_one_per_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user} under {self.submission}"
