"""The list of all incidents, filtered and searched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from incidents.models import Incident
from incidents.selectors.queue import row
from incidents.states import OPEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from incidents.querysets import IncidentQuerySet
    from incidents.queue import Row
    from irapp.accounts.models import User

PAGE = 50


@dataclass(frozen=True)
class Listing:
    """One page of the list; ``before`` continues it."""

    rows: list[Row]
    before: int | None


def listing(user: User, wanted: Mapping[str, Any], *, before: int | None = None) -> Listing:
    """Read one page, the newest first."""
    seen = Incident.objects.visible_to(user)
    found = filtered(seen if before is None else seen.filter(pk__lt=before), wanted, most=PAGE + 1)
    incidents = list(found.select_related("commander").order_by("-pk")[: PAGE + 1])
    now = timezone.now()
    more = len(incidents) > PAGE
    rows = [row(incident, now=now) for incident in incidents[:PAGE]]
    return Listing(rows, incidents[PAGE - 1].pk if more else None)


def filtered(incidents: IncidentQuerySet, wanted: Mapping[str, Any], *, most: int = 1000) -> IncidentQuerySet:
    """Narrow by state, severity, model and search words; empty filters do not narrow."""
    if wanted.get("state"):
        incidents = incidents.filter(state__in=OPEN if wanted["state"] == "OPEN" else [wanted["state"]])
    if wanted.get("severity"):
        incidents = incidents.filter(severity=wanted["severity"])
    if wanted.get("model_name"):
        incidents = incidents.filter(model_name=wanted["model_name"])
    return incidents.matching(wanted["q"], most=most) if wanted.get("q") else incidents
