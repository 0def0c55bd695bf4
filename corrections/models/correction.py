"""A correction: what is restricted, for whom, until when. Several for one incident form a package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from corrections.states import EDITABLE, IN_POLICY, Breadth, State
from enforcement import policy
from incidents.models import Incident

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Self

    from irapp.accounts.models import User


class Package(models.Model):
    """The corrections of one incident that belong together; each is decided on its own."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="packages")
    title = models.CharField(max_length=200)
    rationale = models.TextField(blank=True)
    precaution = models.BooleanField(
        default=False, help_text="Before the incident is confirmed: time-boxed, expires or is renewed."
    )
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.title


SEGMENT_NARROW = 1_000
"""Subjects, named and in segments together, up to which it still counts as naming them."""


def breadth(kind: str, users: Mapping[str, Any]) -> Breadth:
    """Tell how broad a scope is: an allow list refuses all others, a region or a tier is nobody's name."""
    named = {name for name, values in users.items() if values}
    size = sum(int(each["count"]) for each in users.get("lists") or ())
    size += sum(len(users.get(name) or ()) for name in ("users", "organisations", "keys"))
    broad = kind == "allow" or not named or named & {"regions", "tiers"} or size > SEGMENT_NARROW
    return Breadth.BROAD if broad else Breadth.NARROW


class CorrectionQuerySet(models.QuerySet["Correction"]):
    """Questions that pages, gates and the publisher ask."""

    def visible_to(self, user: User) -> Self:
        """Whoever sees the incident sees its corrections."""
        return self.filter(package__incident__in=Incident.objects.visible_to(user))

    def of_incident(self, incident_id: int) -> Self:
        """Everything that one incident led to."""
        return self.filter(package__incident_id=incident_id)

    def live(self) -> Self:
        """Approved and not yet shown to be lifted."""
        return self.filter(state__in=[*IN_POLICY, State.APPROVED, State.LIFTING])

    def wanted(self, *, now: datetime) -> Self:
        """What the gateways should enforce: a newer version that has begun replaces the older ones.

        If the newer one fails, both stand: the older as the floor, the newer wherever it took effect.
        """
        newer = Correction.objects.filter(
            Q(starts_at=None) | Q(starts_at__lte=now),
            reference=models.OuterRef("reference"),
            version__gt=models.OuterRef("version"),
            state__in=IN_POLICY - {State.FAILED},
        )
        return self.filter(~models.Exists(newer), state__in=IN_POLICY)

    def past_expiry(self, *, now: datetime) -> Self:
        """Still wanted although their time is over."""
        return self.filter(state__in=IN_POLICY - {State.PERMANENT}, expires_at__lte=now)

    def due_for_review(self, *, now: datetime) -> Self:
        """In force beyond the day on which somebody promised to look again."""
        return self.filter(state__in=IN_POLICY, review_at__lte=now)


class Correction(ConcurrentTransitionMixin, models.Model):
    """One version of one correction. A change to a live one is the next version of its reference."""

    package = models.ForeignKey(Package, models.PROTECT, related_name="corrections")
    reference = models.CharField(max_length=20)
    version = models.PositiveIntegerField(default=1)
    supersedes = models.ForeignKey("self", models.PROTECT, null=True, related_name="successors")

    kind = models.CharField(max_length=20)
    parameters = models.JSONField(default=dict)
    functionality = models.JSONField(default=dict)
    users = models.JSONField(default=dict)
    mode = models.CharField(max_length=10, default="enforce")
    starts_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    at_expiry = models.CharField(max_length=10, default="hold")
    grace_until = models.DateTimeField(
        null=True, help_text="Until then what it would refuse passes with a warning."
    )
    percentage = models.PositiveSmallIntegerField(default=100)
    running_streams = models.CharField(max_length=10, default="finish")
    public_reason = models.CharField(max_length=500, blank=True)
    appeal = models.CharField(max_length=500, blank=True)
    review_at = models.DateTimeField()
    exit_criteria = models.TextField()
    narrower_rejected = models.TextField(blank=True)
    expected_false_positive_percent = models.FloatField(
        null=True, help_text="Of clean traffic: what a filter or classifier is expected to hit all the same."
    )

    revision = models.PositiveIntegerField(default=1)
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField(default=timezone.now)

    state = FSMField(default=State.DRAFT, choices=State.choices, protected=True)
    approval_digest = models.CharField(max_length=71, blank=True)
    approved_at = models.DateTimeField(null=True)
    execute_by = models.DateTimeField(
        null=True, help_text="Until when the gateways must have shown the last decision carried out."
    )
    policy_version = models.PositiveBigIntegerField(
        null=True, help_text="The first policy that carries it, or that no longer does."
    )
    active_at = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(null=True)
    failure = models.TextField(blank=True)
    drifted_at = models.DateTimeField(null=True)
    drift = models.TextField(blank=True)
    alarmed_at = models.DateTimeField(
        null=True, help_text="Held past its expiry, or its lifting is overdue: said once."
    )

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["state", "-id"], name="correction_by_state"),
            models.Index(
                fields=["expires_at"], condition=Q(state__in=sorted(IN_POLICY)), name="correction_by_expiry"
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reference", "version"], name="correction_version_once"),
            models.UniqueConstraint(
                fields=["reference"],
                condition=Q(state__in=[State.DRAFT, State.PROPOSED, State.APPROVED]),
                name="correction_one_change_at_a_time",
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="correction_state_known"),
            models.CheckConstraint(condition=Q(kind__in=list(policy.EFFECTS)), name="correction_kind_known"),
            models.CheckConstraint(condition=Q(mode__in=["enforce", "shadow"]), name="correction_mode_known"),
            models.CheckConstraint(
                condition=Q(at_expiry__in=["hold", "lift"]), name="correction_expiry_known"
            ),
            models.CheckConstraint(
                condition=Q(percentage__gte=1, percentage__lte=100), name="correction_percentage_range"
            ),
            models.CheckConstraint(
                condition=Q(version=1, supersedes=None) | Q(version__gt=1, supersedes__isnull=False),
                name="correction_first_version_supersedes_none",
            ),
            models.CheckConstraint(
                condition=Q(approved_at=None, approval_digest="")
                | Q(approved_at__isnull=False, approval_digest__startswith="sha256:"),
                name="correction_approval_paired",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted([*EDITABLE, State.REJECTED, State.WITHDRAWN]))
                | Q(approved_at__isnull=False),
                name="correction_nothing_in_force_unapproved",
            ),
            models.CheckConstraint(
                condition=Q(expected_false_positive_percent=None)
                | Q(expected_false_positive_percent__gte=0, expected_false_positive_percent__lte=100),
                name="correction_false_positives_range",
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(expires_at=None) | Q(expires_at__gt=F("starts_at")),
                name="correction_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(grace_until=None) | Q(expires_at=None) | Q(expires_at__gt=F("grace_until")),
                name="correction_ends_after_its_grace",
            ),
            models.CheckConstraint(
                condition=~Q(kind="exempt") | Q(expires_at__isnull=False), name="correction_exemption_expires"
            ),
            models.CheckConstraint(
                condition=~Q(state=State.LIFTED) | Q(lifted_at__isnull=False), name="correction_lifted_paired"
            ),
        ]

    def __str__(self) -> str:
        return self.policy_id

    def get_absolute_url(self) -> str:
        """Give the address of its page."""
        return reverse("corrections:detail", args=[self.pk])

    @property
    def policy_id(self) -> str:
        """Its name in the policy, in refusals and in reports: ``COR-0012.1``."""
        return f"{self.reference}.{self.version}"

    @property
    def incident_id(self) -> int:
        """The incident that events about it belong to."""
        return self.package.incident_id

    @property
    def correction_class(self) -> str:
        """T1 to T5."""
        return str(policy.EFFECTS[self.kind].correction_class)  # type: ignore[attr-defined]

    @property
    def breadth(self) -> Breadth:
        """Whether it names its subjects, or touches more than anybody has named one by one."""
        return breadth(self.kind, self.users)

    # Moves. Bodies stay empty: what follows from a move is written in the actions.

    @transition(field=state, source=State.DRAFT, target=State.PROPOSED)
    def propose(self) -> None:
        """Put before those who may decide."""

    @transition(field=state, source=[State.PROPOSED, State.EXPIRED], target=State.DRAFT)
    def return_to_draft(self) -> None:
        """An edit voids the votes."""

    @transition(field=state, source=[State.DRAFT, State.PROPOSED, State.EXPIRED], target=State.WITHDRAWN)
    def withdraw(self) -> None:
        """Nobody asks for it any more."""

    @transition(field=state, source=State.PROPOSED, target=State.APPROVED)
    def approve(self) -> None:
        """Enough independent people agreed."""

    @transition(field=state, source=State.PROPOSED, target=State.REJECTED)
    def reject(self) -> None:
        """Somebody who may decide said no."""

    @transition(field=state, source=State.PROPOSED, target=State.EXPIRED)
    def expire(self) -> None:
        """Nobody decided in time."""

    @transition(field=state, source=State.APPROVED, target=State.ENFORCING)
    def enforce(self) -> None:
        """The policy carries it; no gateway has shown it yet."""

    @transition(field=state, source=[State.ENFORCING, State.FAILED], target=State.ACTIVE)
    def activate(self) -> None:
        """Every gateway has shown it in force."""

    @transition(field=state, source=State.ENFORCING, target=State.FAILED)
    def fail(self) -> None:
        """Not shown in force in time. It stays wanted."""

    @transition(field=state, source=State.FAILED, target=State.ENFORCING)
    def retry(self) -> None:
        """Try again, with a new deadline."""

    @transition(
        field=state,
        source=[State.ENFORCING, State.ACTIVE, State.FAILED, State.PERMANENT],
        target=State.LIFTING,
    )
    def begin_lifting(self) -> None:
        """The policy no longer carries it; the gateways have not shown that yet."""

    @transition(field=state, source=State.LIFTING, target=State.LIFTED)
    def finish_lifting(self) -> None:
        """Every gateway has shown it gone."""

    @transition(
        field=state,
        source=[State.ENFORCING, State.ACTIVE, State.FAILED, State.PERMANENT],
        target=State.SUPERSEDED,
    )
    def supersede(self) -> None:
        """A newer version is in force in its place."""

    @transition(field=state, source=State.ACTIVE, target=State.PERMANENT)
    def make_permanent(self) -> None:
        """Stays, without expiry."""
