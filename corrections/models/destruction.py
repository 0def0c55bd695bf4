"""Orders to destroy components of a model, and the holds on evidence that stand in their way (T-8).

An order is a record. Nothing here, and nothing that reads it, destroys anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from corrections.states import OrderState
from incidents.models import Incident

if TYPE_CHECKING:
    from typing import Self

    from irapp.accounts.models import User

_PEOPLE = settings.AUTH_USER_MODEL


class EvidenceHoldQuerySet(models.QuerySet["EvidenceHold"]):
    """Questions about holds."""

    def visible_to(self, user: User) -> Self:
        """Whoever sees the incident sees what is held for it."""
        return self.filter(incident__in=Incident.objects.visible_to(user))

    def active(self) -> Self:
        """Not released."""
        return self.filter(released_at=None)


class EvidenceHold(models.Model):
    """Something that must be kept as it is. What it says never changes; it can only be released."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="evidence_holds")
    reference = models.CharField(max_length=20, unique=True)
    model_name = models.CharField(
        max_length=200, blank=True, help_text="Empty: whatever the incident is about."
    )
    what = models.TextField()
    reason = models.TextField()
    placed_by = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")
    placed_at = models.DateTimeField(default=timezone.now)
    released_by = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    release_reason = models.TextField(blank=True)

    objects = EvidenceHoldQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(released_at=None, released_by=None, release_reason="")
                | (Q(released_at__isnull=False, released_by__isnull=False) & ~Q(release_reason="")),
                name="hold_released_with_a_reason",
            ),
            models.CheckConstraint(condition=~Q(what="") & ~Q(reason=""), name="hold_says_what_and_why"),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        """Give the address of its page."""
        return reverse("corrections:hold", args=[self.pk])

    @property
    def is_active(self) -> bool:
        """Whether it still stands."""
        return self.released_at is None


class DestructionOrderQuerySet(models.QuerySet["DestructionOrder"]):
    """Questions about orders."""

    def visible_to(self, user: User) -> Self:
        """Whoever sees the incident sees what was ordered in it."""
        return self.filter(incident__in=Incident.objects.visible_to(user))


class DestructionOrder(ConcurrentTransitionMixin, models.Model):
    """What is to be destroyed, and why nothing that can be undone is enough. What it says never changes."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="destruction_orders")
    reference = models.CharField(max_length=20, unique=True)
    model_name = models.CharField(max_length=200)
    components = ArrayField(models.CharField(max_length=300))
    reason = models.TextField()
    narrower_rejected = models.TextField()
    digest = models.CharField(max_length=71)
    authority = models.JSONField()
    drafted_by = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField(default=timezone.now)
    state = FSMField(default=OrderState.DRAFTED, choices=OrderState.choices, protected=True)
    ordered_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(_PEOPLE, models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdraw_reason = models.TextField(blank=True)

    objects = DestructionOrderQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=OrderState.values), name="order_state_known"),
            models.CheckConstraint(condition=Q(components__len__gte=1), name="order_names_components"),
            models.CheckConstraint(condition=Q(digest__startswith="sha256:"), name="order_digest_known"),
            models.CheckConstraint(
                condition=~Q(state=OrderState.ORDERED) | Q(ordered_at__gte=F("drafted_at")),
                name="order_ordered_paired",
            ),
            models.CheckConstraint(
                condition=(
                    ~Q(state=OrderState.WITHDRAWN)
                    & Q(withdrawn_at=None, withdrawn_by=None, withdraw_reason="")
                )
                | (
                    Q(state=OrderState.WITHDRAWN, withdrawn_at__isnull=False, withdrawn_by__isnull=False)
                    & ~Q(withdraw_reason="")
                ),
                name="order_withdrawn_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        """Give the address of its page."""
        return reverse("corrections:destruction", args=[self.pk])

    # Moves. Bodies stay empty: what follows from a move is written in the actions.

    @transition(field=state, source=OrderState.DRAFTED, target=OrderState.ORDERED)
    def order(self) -> None:
        """Enough executives signed exactly this."""

    @transition(field=state, source=[OrderState.DRAFTED, OrderState.ORDERED], target=OrderState.WITHDRAWN)
    def withdraw(self) -> None:
        """Nobody is to act on it any more."""


class DestructionApproval(models.Model):
    """One executive's signature under one digest. Append-only in PostgreSQL."""

    order = models.ForeignKey(DestructionOrder, models.PROTECT, related_name="approvals")
    user = models.ForeignKey(_PEOPLE, models.PROTECT, related_name="+")
    person = models.UUIDField()
    reason = models.TextField()
    digest = models.CharField(max_length=71)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "person"], name="destruction_approval_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="destruction_approval_reasoned"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.order}"

    @property
    def incident_id(self) -> int:
        """The incident that events about it belong to."""
        return self.order.incident_id
