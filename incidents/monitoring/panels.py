"""Signals on the page of their incident, and their events in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

from incidents import panels, telling
from incidents.monitoring.models import Link, SignalGroup
from incidents.monitoring.policies import TRIAGERS

if TYPE_CHECKING:
    from incidents.models import Incident
    from irapp.accounts.models import User

SHOWN = 10
WORDS = {
    "signal.received": ("Signal received", "signal", "info"),
    "signals.acknowledged": ("Signals acknowledged", "eye", "accent"),
    "signals.linked": ("Signals linked", "link", "info"),
    "signals.moved_away": ("Signals linked elsewhere", "link", "warn"),
    "signals.closed": ("Signals closed", "square", "neutral"),
    "signals.reopened": ("Signals reopened", "loop", "warn"),
    "signals.came_back": ("Signals came back", "loop", "danger"),
    "source.added": ("Source of signals added", "plus", "neutral"),
    "source.edited": ("Source of signals changed", "note", "neutral"),
}


@dataclass(frozen=True)
class SignalsPanel:
    """Groups that belong to the incident, and some that might."""

    linked: list[SignalGroup]
    more: int
    possible: list[SignalGroup]


def signals_of(incident: Incident, user: User) -> SignalsPanel | None:
    """Fill the panel; nothing where there is nothing to say."""
    seen = SignalGroup.objects.visible_to(user)
    links = Link.objects.filter(incident=incident, group__in=seen).select_related("group").order_by("-pk")
    linked = [link.group for link in links[: SHOWN + 1]]
    possible: list[SignalGroup] = []
    if incident.is_open and incident.model_name and user.has_role(*TRIAGERS):
        near = seen.unlinked().filter(model_name=incident.model_name)
        possible = list(near.exclude(pk__in=[group.pk for group in linked]).urgent_first()[:5])
    if not linked and not possible:
        return None
    return SignalsPanel(linked[:SHOWN], len(linked) - SHOWN, possible)


def register() -> None:
    """Put the panel onto the incident page, and the events into words."""
    panels.register("signals", "monitoring/panel.html", 15, signals_of)
    for verb, words in WORDS.items():
        telling.register(verb, *words)
    telling.register_address("monitoring.signalgroup", lambda pk: reverse("monitoring:signal", args=[pk]))
