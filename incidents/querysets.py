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

    def matching(self, text: str, *, most: int = 1000) -> IncidentQuerySet:
        """Narrow to the newest hits: words of title, summary, model and notes, or a reference.

        Apply it last: what was narrowed before goes into the search, so that a page reads only its own hits.
        Each half looks into its own index (an OR would read the whole table), and stops at ``most``: a word
        that stands everywhere costs as little as one that stands nowhere.
        """
        query = SearchQuery(text, search_type="websearch", config="english")
        notes = apps.get_model("incidents", "Note").objects.annotate(text=NOTE_TEXT).filter(text=query)
        own = self.annotate(text=INCIDENT_TEXT).filter(text=query)
        halves = [own, self.filter(pk__in=notes.values("incident"))]
        reference = _REFERENCE.fullmatch(text.strip())
        if reference:
            halves.append(self.filter(pk=int(reference[1])))
        newest = [half.order_by("-pk").values("pk")[:most] for half in halves]
        found: IncidentQuerySet = self.model.objects.filter(pk__in=newest[0].union(*newest[1:]))
        return found


class TaskQuerySet(models.QuerySet["Task"]):
    """Tasks, narrowed step by step."""

    def open(self) -> Self:
        """Still to be done."""
        return self.filter(outcome="")

    def overdue(self, *, now: datetime) -> Self:
        """Still to be done after the time it was due."""
        return self.open().filter(due_at__lt=now)
