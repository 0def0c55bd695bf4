"""Questions asked of signals, in the words of the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.db import models
from django.db.models import Q

from incidents.models import Incident
from incidents.monitoring.states import UNLINKED, State
from irapp.accounts.models import RoleCode

if TYPE_CHECKING:
    from incidents.monitoring.models import Signal, SignalGroup, Source  # noqa: F401 (named in strings only)
    from irapp.accounts.models import User


class SourceQuerySet(models.QuerySet["Source"]):
    """Sources, narrowed step by step."""

    def enabled(self) -> Self:
        """Those that signals are taken from."""
        return self.filter(enabled=True)


class SignalGroupQuerySet(models.QuerySet["SignalGroup"]):
    """Groups of signals, narrowed step by step."""

    def visible_to(self, user: User) -> Self:
        """Whoever has a role sees them, except where they belong to an incident that is hidden from them."""
        if user.has_role(RoleCode.AUDITOR, RoleCode.ADMINISTRATOR):
            return self
        if not user.has_role(*RoleCode):
            return self.none()
        return self.filter(Q(incident=None) | Q(incident__in=Incident.objects.visible_to(user).values("pk")))

    def new(self) -> Self:
        """Nobody has looked at these yet."""
        return self.filter(state=State.NEW)

    def unlinked(self) -> Self:
        """Nobody has said yet what these belong to (M-6)."""
        return self.filter(state__in=UNLINKED)

    def urgent_first(self) -> Self:
        """The worst first, among equals the one that waits longest."""
        return self.order_by("rank", "waiting_since", "pk")


class SignalQuerySet(models.QuerySet["Signal"]):
    """Signals, narrowed step by step."""

    def visible_to(self, user: User) -> Self:
        """Whoever sees the group sees its signals."""
        groups = apps.get_model("monitoring", "SignalGroup").objects.visible_to(user)
        return self.filter(group__in=groups.values("pk"))
