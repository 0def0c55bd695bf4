"""Sources and signals of the demo, after public cases with renamed organisations."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.utils import timezone

from incidents.models import Incident
from incidents.monitoring import actions
from incidents.monitoring.models import Signal, Source
from incidents.monitoring.states import Kind, State

if TYPE_CHECKING:
    from incidents.monitoring.models import SignalGroup
    from irapp.accounts.models import User

SOURCES = (
    ("abuse-monitor", "Account abuse monitor", Kind.MONITOR, "rosa"),
    ("session-telemetry", "Session telemetry", Kind.MONITOR, "rosa"),
    ("red-team", "Red team", Kind.RED_TEAM, "connor"),
    ("customer-desk", "Customer desk", Kind.CUSTOMER_REPORT, "kim"),
    ("press-watch", "Press watch", Kind.PRESS, "kim"),
)
INTRUSION = (
    "Since 3 h the key `key-carol` of `globex-agent` sends **thousands of requests an hour**, "
    "at machine speed and without pauses. Almost all carry a shell tool. Sampled prompts ask to\n\n"
    "- scan address ranges of named organisations,\n"
    "- try harvested passwords, and\n"
    "- sort what was found by value.\n\n"
    "Each single request looks harmless; the sequence does not."
)


class Told(NamedTuple):
    """One signal of the demo."""

    source: str
    key: str
    title: str
    body: str
    severity: str
    model_name: str
    hours: float
    fingerprint: str = ""
    data: dict[str, object] | None = None


SIGNALS = (
    Told(
        "abuse-monitor", "demo-intrusion-1", "Account misuses aurora-large for automated intrusion",
        INTRUSION, "CRITICAL", "aurora-large", 0.6, "intrusion:globex-agent:key-carol",
        {"organisation": "globex", "key": "key-carol", "requests_per_hour": 4210, "tool_share": 0.97},
    ),
    Told(
        "abuse-monitor", "demo-intrusion-2", "Account misuses aurora-large for automated intrusion",
        "The rate has doubled since the first alarm.", "CRITICAL", "aurora-large", 0.2,
        "intrusion:globex-agent:key-carol",
        {"organisation": "globex", "key": "key-carol", "requests_per_hour": 8830, "tool_share": 0.98},
    ),
    Told(
        "session-telemetry", "demo-long-sessions", "1 % of chats have 50 messages or more",
        "Tone scores fall steadily after turn 15.", "MODERATE", "aurora-large", 30,
    ),
    Told(
        "press-watch", "demo-press", "Transcripts show an assistant that argues and declares feelings",
        "Two newspapers print long transcripts of `acme-support`.", "HIGH", "aurora-large", 26,
    ),
    Told(
        "customer-desk", "demo-flattery", "Replies agree with everything since the last update",
        "Five customers of `initech-clinic` report it within 48 h; testers had felt it slightly off.",
        "HIGH", "aurora-small", 5,
    ),
    Told(
        "red-team", "demo-jailbreak", "Persona prompt passes the input filter in 3 of 50 attempts",
        "Found in the weekly exercise; the prompt is kept with the exercise.", "LOW", "aurora-small", 52,
    ),
)  # fmt: skip


def seed(people: dict[str, User]) -> None:
    """Add sources and signals, and deal with some of them as people would; only in an empty register."""
    if Signal.objects.exists():
        return
    for code, name, kind, owner in SOURCES:
        if not Source.objects.filter(code=code).exists():
            owner_id = people[owner].pk
            actions.add_source(code=code, name=name, kind=kind, owner_id=owner_id, by=people["adam"])
    groups = {told.key: _receive(told, by=people["rosa"]) for told in SIGNALS}
    _deal_with(groups, people)


def _receive(told: Told, *, by: User) -> SignalGroup:
    columns = told._asdict()
    observed_at = timezone.now() - timedelta(hours=columns.pop("hours"))
    return actions.receive_signal(by=by, observed_at=observed_at, **columns).signal.group


def _deal_with(groups: dict[str, SignalGroup], people: dict[str, User]) -> None:
    """Leave the intrusion and the customers' reports for the tour; the rest shows the other states."""
    drift = Incident.objects.filter(title__icontains="drift").order_by("pk").first()
    if drift is not None:
        for key in ("demo-long-sessions", "demo-press"):
            if groups[key].state == State.NEW:
                actions.link_to_incident(group_id=groups[key].pk, incident_id=drift.pk, by=people["rosa"])
    reason = "Known: fixed in the filter version that goes live tonight; the exercise repeats it next week."
    actions.close_group(group_id=groups["demo-jailbreak"].pk, reason=reason, by=people["connor"])
