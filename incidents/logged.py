"""What the audit log asks of incidents: who may see which, what they are called, how their events read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.urls import reverse

from incidents.models import Incident
from incidents.telling import tell
from irapp.audit import incidents, telling

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from irapp.accounts.models import User

_REFERENCE = re.compile(r"(?:INC-?)?0*([1-9]\d{0,17})", re.IGNORECASE)


def register() -> None:
    """Answer the log."""
    incidents.use(incidents.Incidents(visible=_visible, find=_find, name=_name, address=_address))
    telling.use(tell)


def _visible(user: User) -> QuerySet[Incident, int]:
    seen: QuerySet[Incident] = Incident.objects.visible_to(user)
    return seen.values_list("pk", flat=True)


def _find(reference: str) -> int | None:
    found = _REFERENCE.fullmatch(reference.strip())
    return int(found[1]) if found else None


def _name(pk: int) -> str:
    return f"INC-{pk:04d}"  # as the database generates it; an event names incidents that may be gone


def _address(pk: int) -> str:
    return reverse("incidents:detail", args=[pk])
