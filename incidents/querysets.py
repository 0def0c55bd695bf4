"""Questions asked of incidents and tasks, in the words of the domain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import models
from django.db.models import Q

from incidents.states import OPEN
from irapp.accounts.models import RoleCode

if TYPE_CHECKING:
    from datetime import datetime

    from incidents.models import Incident, Task  # noqa: F401 (named in strings only)
    from irapp.accounts.models import User

_REFERENCE = re.compile(r"(?:INC-?)?0*(\d{1,18})", re.IGNORECASE)

# Indexed as they stand here (GIN); a query with any other expression would read the whole table.
INCIDENT_TEXT = SearchVector("title", "summary", "model_name", config="english")
NOTE_TEXT = SearchVector("body", config="english")


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Incidents, narrowed step by step."""

    def visible_to(self, user: User) -> Self:
        """Whoever has a role sees what is not restricted; the rest is for people with a need to know.

        Need to know: those with a part in it, its commander, who opened it, auditors, administrators.
        """
        if user.has_role(RoleCode.AUDITOR, RoleCode.ADMINISTRATOR):
            return self
        parts = apps.get_model("incidents", "IncidentRole").objects.filter(user=user, until=None)
        involved = Q(commander=user) | Q(opened_by=user) | Q(pk__in=parts.values("incident"))
        return self.filter(involved | Q(restricted=False) if user.has_role(*RoleCode) else involved)

    def open(self) -> Self:
        """Neither closed nor dismissed."""
        return self.filter(state__in=OPEN)

    def matching(self, text: str) -> Self:
        """Find words in title, summary, model and notes, or the incident with this reference."""
        query = SearchQuery(text, search_type="websearch", config="english")
        own = self.model.objects.annotate(text=INCIDENT_TEXT).filter(text=query)
        notes = apps.get_model("incidents", "Note").objects.annotate(text=NOTE_TEXT).filter(text=query)
        # A union, so that each half uses its own index; OR would read the whole table.
        hits = own.values("pk").union(notes.values("incident"))
        reference = _REFERENCE.fullmatch(text.strip())
        if reference:
            hits = hits.union(self.model.objects.filter(pk=int(reference[1])).values("pk"))
        return self.filter(pk__in=hits)


class TaskQuerySet(models.QuerySet["Task"]):
    """Tasks, narrowed step by step."""

    def open(self) -> Self:
        """Still to be done."""
        return self.filter(outcome="")

    def overdue(self, *, now: datetime) -> Self:
        """Still to be done after the time it was due."""
        return self.open().filter(due_at__lt=now)
