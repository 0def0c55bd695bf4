"""Reading the log: what somebody may see, narrowed by what they look for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.search import SearchQuery
from django.db import connection, models
from django.db.models import Q

from irapp.accounts.models import User
from irapp.audit import incidents
from irapp.audit.models import Event, EventText
from irapp.audit.policies import reads_everything

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

SYSTEM = "system"
_RECORD = re.compile(r"([a-z_]+\.[a-z_]+):(\d{1,18})")


class Tab(models.TextChoices):
    """What the log is narrowed to by one click."""

    ALL = "", "Everything"
    INCIDENTS = "incidents", "Incidents"
    DECISIONS = "decisions", "Decisions"
    CORRECTIONS = "corrections", "Corrections"
    GATEWAYS = "gateways", "Gateways"
    PREPARATION = "preparation", "Preparation"
    PEOPLE = "people", "Access"
    RECORD = "record", "Record"


STARTS: dict[str, tuple[str, ...]] = {
    Tab.INCIDENTS: ("incident.", "part.", "note.", "task.", "condition.", "signals.", "review."),
    Tab.DECISIONS: ("proposal.", "correction.proposed", "correction.approved", "correction.rejected"),
    Tab.CORRECTIONS: ("correction.", "package."),
    Tab.GATEWAYS: ("gateway.", "hub.", "policy."),
    Tab.PREPARATION: ("binding.", "plan.", "threat.", "model.", "fallback.", "source."),
    Tab.PEOPLE: ("person.", "token."),
    Tab.RECORD: ("audit.", "outbox."),
}

# Jumps from one verb to the next in the index instead of reading every event.
_VERBS = """
WITH RECURSIVE seen AS (
  (SELECT verb FROM audit_event ORDER BY verb LIMIT 1)
  UNION ALL
  SELECT (SELECT verb FROM audit_event WHERE verb > seen.verb ORDER BY verb LIMIT 1)
  FROM seen WHERE seen.verb IS NOT NULL
) SELECT verb FROM seen WHERE verb IS NOT NULL
"""


@dataclass(frozen=True)
class Choices:
    """What the filter offers."""

    verbs: list[str]
    people: list[tuple[str, str]]


def visible_to(user: User) -> QuerySet[Event]:
    """Everything for auditors and administrators; for others, what belongs to incidents they may see."""
    if reads_everything(user):
        return Event.objects.all()
    return Event.objects.filter(incident_id__in=incidents.visible_ids(user))


def filtered(events: QuerySet[Event], wanted: Mapping[str, Any]) -> QuerySet[Event]:
    """Narrow by tab, person, verb, incident, target, time and words; empty filters do not narrow."""
    asked = {name: value for name, value in wanted.items() if value not in (None, "")}
    for name, value in asked.items():
        events = events.filter(_NARROW[name](value))
    return events


def choices(user: User) -> Choices:
    """What to offer: verbs that occur, and everybody who ever had an account where the reader sees all."""
    people = User.objects.order_by("name", "username")
    if not reads_everything(user):
        people = people.filter(is_active=True)
    named = [(str(person.pk), f"{person} ({person.username})") for person in people]
    return Choices(_verbs(), [("", "Anybody"), (SYSTEM, "irapp itself"), *named])


def _verbs() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_VERBS)
        return [verb for (verb,) in cursor.fetchall()]


def _by_person(value: str) -> Q:
    return Q(actor_id=None) if value == SYSTEM else Q(actor_id=int(value))


def _by_target(value: str) -> Q:
    record = _RECORD.fullmatch(value)
    if record:
        return Q(target_type=record[1], target_id=int(record[2]))
    return Q(target_name__istartswith=value)


def _by_words(value: str) -> Q:
    query = SearchQuery(value, search_type="websearch", config="english")
    found = Event.objects.annotate(text=EventText()).filter(text=query)
    return Q(pk__in=found.values("pk"))


def _by_tab(value: str) -> Q:
    wanted = Q(pk__in=[])
    for start in STARTS.get(value, ()):
        wanted |= Q(verb__startswith=start)
    return wanted


_NARROW = {
    "tab": _by_tab,
    "person": _by_person,
    "verb": lambda value: Q(verb__startswith=value.lower()),
    "incident": lambda value: Q(incident_id=incidents.find(value) or 0),
    "target": _by_target,
    "since": lambda value: Q(at__gte=value),
    "until": lambda value: Q(at__lt=value),
    "q": _by_words,
}
