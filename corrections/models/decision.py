"""Who may decide what, what was proposed to them in which bytes, and what they said."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from corrections.models.author import Did
from corrections.models.correction import Correction
from corrections.states import SEVERITIES, Action, Breadth, ProposalState, Verdict
from enforcement import policy
from incidents.models import Incident
from irapp.accounts.models import RoleCode, User

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self
    from uuid import UUID

CLASSES = ("T1", "T2", "T3", "T4", "T5")


class AuthorityRule(models.Model):
    """One line of the authority matrix.

    Of the lines that fit, one that names the kind goes before one for the whole class; among those the one
    with the gravest severity counts.
    """

    correction_class = models.CharField(max_length=2, choices=[(name, name) for name in CLASSES])
    kind = models.CharField(
        max_length=20,
        blank=True,
        default="",
        help_text="Empty: every kind of the class without lines of its own.",
    )
    breadth = models.CharField(max_length=10, choices=Breadth.choices)
    minimum_severity = models.CharField(max_length=10, choices=[(name, name.title()) for name in SEVERITIES])
    action = models.CharField(max_length=20, choices=Action.choices)
    roles = ArrayField(models.CharField(max_length=20, choices=RoleCode.choices))
    quorum = models.PositiveSmallIntegerField()
    must_include = ArrayField(
        models.CharField(max_length=20, choices=RoleCode.choices),
        default=list,
        blank=True,
        help_text="For each of these roles at least one of the approving people holds it.",
    )
    decide_within = models.DurationField()
    execute_within = models.DurationField()

    class Meta:
        ordering: ClassVar = ["correction_class", "kind", "breadth", "action", "minimum_severity"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["correction_class", "kind", "breadth", "minimum_severity", "action"],
                name="authority_once",
            ),
            models.CheckConstraint(condition=Q(kind__in=["", *policy.EFFECTS]), name="authority_kind_known"),
            models.CheckConstraint(condition=Q(quorum__gte=1), name="authority_needs_somebody"),
            models.CheckConstraint(condition=Q(roles__len__gte=1), name="authority_names_roles"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def code(self) -> str:
        """A stable name for people and events: ``T5/BROAD/LOW/IMPOSE``, ``T5:halt/BROAD/LOW/IMPOSE``."""
        what = f"{self.correction_class}:{self.kind}" if self.kind else self.correction_class
        return f"{what}/{self.breadth}/{self.minimum_severity}/{self.action}"


class ProposalQuerySet(models.QuerySet["Proposal"]):
    """Questions that inboxes and clocks ask."""

    def visible_to(self, user: User) -> Self:
        """Whoever sees the incident sees what is proposed for it."""
        return self.filter(correction__package__incident__in=Incident.objects.visible_to(user))

    def open(self) -> Self:
        """Not decided yet."""
        return self.filter(state=ProposalState.OPEN)

    def awaiting(self, user: User, *, now: datetime) -> Self:
        """What this person can still vote on: their role counts, it is not theirs, they have not voted."""
        if not user.is_active or not user.role_codes:
            return self.none()
        return (
            self.visible_to(user)
            .filter(state=ProposalState.OPEN, decide_by__gt=now)
            .filter(authority__roles__has_any_keys=sorted(user.role_codes))
            .exclude(barred__has_any_keys=_accounts(user))
            .exclude(votes__user__person=user.person)
        )

    def overdue(self, *, now: datetime) -> Self:
        """Nobody decided in time."""
        return self.filter(state=ProposalState.OPEN, decide_by__lte=now)


class Proposal(models.Model):
    """A question to those who may decide, bound to the exact bytes they are shown.

    ``authority`` is the rule as it stood: ``{"rule", "roles", "quorum", "must_include",
    "decide_within_seconds", "execute_within_seconds"}``. Later changes of the matrix do not touch it.
    PostgreSQL refuses to change what it asks for, by what authority, and whom it bars.
    """

    correction = models.ForeignKey(Correction, models.PROTECT, related_name="proposals")
    action = models.CharField(max_length=20, choices=Action.choices)
    payload = models.BinaryField()
    digest = models.CharField(max_length=71)
    authority = models.JSONField()
    barred = models.JSONField(
        default=dict, help_text="Accounts whose people do not decide, by primary key, and what they did."
    )
    impact = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    proposer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="proposals")
    proposed_at = models.DateTimeField(default=timezone.now)
    decide_by = models.DateTimeField()
    state = models.CharField(max_length=10, choices=ProposalState.choices, default=ProposalState.OPEN)
    closed_at = models.DateTimeField(null=True)
    closed_because = models.TextField(blank=True)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["decide_by"], condition=Q(state=ProposalState.OPEN), name="proposal_open"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["correction"], condition=Q(state=ProposalState.OPEN), name="proposal_one_open"
            ),
            models.CheckConstraint(condition=Q(state__in=ProposalState.values), name="proposal_state_known"),
            models.CheckConstraint(condition=Q(action__in=Action.values), name="proposal_action_known"),
            models.CheckConstraint(
                condition=Q(state=ProposalState.OPEN, closed_at=None)
                | (~Q(state=ProposalState.OPEN) & Q(closed_at__isnull=False)),
                name="proposal_closed_paired",
            ),
            models.CheckConstraint(
                condition=Q(decide_by__gt=F("proposed_at")), name="proposal_leaves_time_to_decide"
            ),
            models.CheckConstraint(condition=Q(digest__startswith="sha256:"), name="proposal_digest_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.correction}"

    def get_absolute_url(self) -> str:
        """Give the address of its page."""
        return reverse("corrections:proposal", args=[self.pk])

    @property
    def incident_id(self) -> int:
        """The incident that events about it belong to."""
        return self.correction.incident_id

    @property
    def authors(self) -> dict[UUID, Did]:
        """The people who do not decide, and what they did; accounts that were joined since are one person."""
        people = dict(User.objects.filter(pk__in=self.barred).values_list("pk", "person"))
        return {people[int(account)]: Did(did) for account, did in self.barred.items()}

    @property
    def is_open(self) -> bool:
        """Not decided yet."""
        return self.state == ProposalState.OPEN


class Vote(models.Model):
    """What one person said about one digest. Append-only in PostgreSQL."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="votes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="votes")
    person = models.UUIDField()
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    reason = models.TextField()
    digest = models.CharField(max_length=71)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["proposal", "person"], name="vote_one_per_person"),
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="vote_verdict_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.verdict}"


def _accounts(user: User) -> list[str]:
    """Every account of this human being, as proposals name them."""
    return [str(pk) for pk in User.objects.filter(person=user.person).values_list("pk", flat=True)]
