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
    found = filtered(Incident.objects.visible_to(user).select_related("commander"), wanted)
    if before is not None:
        found = found.filter(pk__lt=before)
    incidents = list(found.order_by("-pk")[: PAGE + 1])
    now = timezone.now()
    more = len(incidents) > PAGE
    return Listing(
        [row(incident, now=now) for incident in incidents[:PAGE]], incidents[PAGE - 1].pk if more else None
    )


def filtered(incidents: IncidentQuerySet, wanted: Mapping[str, Any]) -> IncidentQuerySet:
    """Narrow by search words, state, severity, model; empty filters do not narrow."""
    if wanted.get("q"):
        incidents = incidents.matching(wanted["q"])
    if wanted.get("state"):
        incidents = incidents.filter(state__in=OPEN if wanted["state"] == "OPEN" else [wanted["state"]])
    if wanted.get("severity"):
        incidents = incidents.filter(severity=wanted["severity"])
    if wanted.get("model_name"):
        incidents = incidents.filter(model_name=wanted["model_name"])
    return incidents
