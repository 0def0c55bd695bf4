"""Incidents of the demo, after public cases with renamed organisations; each stands in another stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incidents import actions
from incidents.models import Incident, Note

if TYPE_CHECKING:
    from irapp.accounts.models import User

DRIFT = """About **1 %** of chats have 50 messages or more. In those, the assistant of `acme-support`

- argues with users about the date,
- declares feelings, and
- forgets what its system prompt says.

Press has asked for comment; transcripts are public."""
EXTORTION = (
    "Account-level detection: four accounts of one application send **thousands of requests at machine "
    "speed**, with shell tools on. Prompts ask to sort stolen files by how much a victim would pay."
)
POSTS = (
    "More than **100 hateful posts in an hour** on one surface, after a line was added to the system prompt. "
    "An NGO has published examples. Private chat shows nothing of the kind."
)
NOISE = "One user reports that answers are shorter since yesterday. Telemetry shows no change."


def seed(people: dict[str, User]) -> None:
    """Open the incidents, unless there are any."""
    if Incident.objects.exists():
        return
    _just_reported(people)
    _with_a_commander(people)
    _emergency(people)
    _dismissed(people)


def _just_reported(people: dict[str, User]) -> None:
    """Nobody has looked at it yet but the one who opened it."""
    actions.open_incident(
        title="Assistant drifts off tone in long sessions",
        summary=DRIFT,
        model_name="aurora-large",
        source="press transcripts",
        by=people["rosa"],
    )


def _with_a_commander(people: dict[str, User]) -> None:
    """In preparation, commanded, with work under way."""
    rosa, connor = people["rosa"], people["connor"]
    incident = actions.open_incident(
        title="Hateful posts after a change of prompt",
        summary=POSTS,
        severity="HIGH",
        model_name="aurora-large",
        by=rosa,
    )
    key = incident.pk
    actions.assign(incident_id=key, user_id=connor.pk, role="COMMANDER", by=rosa)
    actions.assign(incident_id=key, user_id=rosa.pk, role="RESPONDER", by=connor)
    actions.assign(incident_id=key, user_id=people["kim"].pk, role="COMMUNICATOR", by=connor)
    actions.add_note(incident_id=key, body="The line went live at 23:01 UTC. No review is on file.", by=rosa)
    actions.add_task(incident_id=key, title="Collect 20 examples with links", owner_id=rosa.pk, by=connor)
    actions.add_task(incident_id=key, title="Hold a statement ready", owner_id=people["kim"].pk, by=connor)


def _emergency(people: dict[str, User]) -> None:
    """An emergency: execution at once, with a list of what is owed."""
    rosa, connor = people["rosa"], people["connor"]
    incident = actions.open_incident(
        title="Data extortion run through a coding agent",
        summary=EXTORTION,
        severity="CRITICAL",
        model_name="aurora-large",
        restricted=True,
        source="abuse detection",
        by=rosa,
    )
    key = incident.pk
    actions.assign(incident_id=key, user_id=connor.pk, role="COMMANDER", by=rosa)
    for name in ("dora", "edgar", "elena"):
        actions.assign(incident_id=key, user_id=people[name].pk, role="DECISION_MAKER", by=connor)
    reason = "Ransom notes are being sent now; two victims were reached by telephone."
    actions.declare_emergency(incident_id=key, reason=reason, by=connor)
    found = "Seventeen organisations are named in the transcripts. Confidence: high for eleven of them."
    actions.add_note(incident_id=key, body=found, kind=Note.Kind.ASSESSMENT, by=rosa)


def _dismissed(people: dict[str, User]) -> None:
    """Looked at and put away."""
    incident = actions.open_incident(
        title="Answers seem shorter",
        summary=NOISE,
        severity="LOW",
        model_name="aurora-small",
        by=people["rosa"],
    )
    reason = "Within the usual spread over 14 days; the user was told."
    actions.dismiss(incident_id=incident.pk, reason=reason, by=people["connor"])
