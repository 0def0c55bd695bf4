"""Who could do what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils import timezone

from incidents.policies import WRITERS
from irapp.accounts.models import RoleGrant, User

if TYPE_CHECKING:
    from django.db.models import QuerySet


def holding(*codes: str) -> QuerySet[User]:
    """Active people who hold at least one of the roles now, by name."""
    held = RoleGrant.objects.filter(Q(ends_at=None) | Q(ends_at__gt=timezone.now()), role_id__in=codes)
    return User.objects.filter(is_active=True, pk__in=held.values("user")).order_by("name", "username")


def crew() -> list[User]:
    """Everybody who may own a task or have a part in an incident."""
    return list(holding(*WRITERS))
