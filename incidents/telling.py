"""How events read in the timeline. Other floors register words for theirs; the rest speaks for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incidents.states import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from irapp.audit.models import Event

    Address = Callable[[int], str]


@dataclass(frozen=True)
class Words:
    """How one kind of event is told."""

    what: str
    icon: str = "ring"
    tone: str = "neutral"


@dataclass(frozen=True)
class Told:
    """An event, told."""

    what: str
    icon: str
    tone: str
    text: str
    detail: str
    url: str


WORDS: dict[str, Words] = {
    "incident.opened": Words("Incident opened", "flag", "accent"),
    "incident.edited": Words("Incident edited", "note"),
    "incident.restricted": Words("Restricted to those with a need to know", "lock", "warn"),
    "incident.unrestricted": Words("Opened to everybody with a role", "lock"),
    "incident.monitoring_begun": Words("Monitoring began", "eye", "accent"),
    "incident.execution_begun": Words("Execution began", "bolt", "accent"),
    "incident.post_incident_begun": Words("Post-incident began", "loop", "accent"),
    "incident.closed": Words("Closed", "square", "ok"),
    "incident.dismissed": Words("Dismissed", "slash"),
    "incident.emergency_declared": Words("Emergency declared", "bolt", "danger"),
    "incident.stood_down": Words("Stood down to monitoring", "loop", "warn"),
    "incident.recurred": Words("Recurrence: back to execution", "loop", "danger"),
    "incident.reopened": Words("Reopened", "loop", "warn"),
    "incident.returned_to_preparation": Words("Returned to preparation", "loop", "warn"),
    "part.assigned": Words("Assigned", "person", "info"),
    "part.ended": Words("Relieved", "person"),
    "note.added": Words("Note", "note", "info"),
    "note.edited": Words("Note reworded", "note"),
    "task.added": Words("Task added", "plus"),
    "task.taken": Words("Task taken", "person"),
    "task.finished": Words("Task finished", "check", "ok"),
    "task.taken_up_again": Words("Task taken up again", "loop", "warn"),
    "condition.made_up": Words("Skipped condition made up", "check-circle", "ok"),
    "binding.threat_bound": Words("Threat bound", "link", "info"),
    "binding.plan_bound": Words("Plan bound", "link", "info"),
    "binding.fallback_considered": Words("Fallback considered", "link", "info"),
    "binding.authority_confirmed": Words("Authority confirmed", "decision", "info"),
}
_addresses: dict[str, Address] = {}


def register(verb: str, what: str, icon: str = "ring", tone: str = "neutral") -> None:
    """Give an event its words; called from ``AppConfig.ready``."""
    WORDS[verb] = Words(what, icon, tone)


def register_address(target_type: str, address: Address) -> None:
    """Say where the page of a kind of target is, for example ``corrections.correction``."""
    _addresses[target_type] = address


def tell(event: Event) -> Told:
    """Tell an event: its words, its reason, what it was about."""
    data: dict[str, Any] = event.data
    known = WORDS.get(event.verb)
    noun, _, done = event.verb.partition(".")
    words = known or Words(f"{_plain(noun).capitalize()} {_plain(done)}")
    address = _addresses.get(event.target_type)
    return Told(
        what=_what(words.what, event, data) if known else f"{words.what}: {event.target_name}",
        icon=words.icon,
        tone=words.tone,
        text=str(data.get("reason") or ""),
        detail=_detail(data),
        url=address(event.target_id) if address else "",
    )


def _what(words: str, event: Event, data: dict[str, Any]) -> str:
    noun = event.verb.partition(".")[0]
    if noun == "part":
        return f"{data.get('person')} {words.lower()} as {_plain(str(data.get('part')))}"
    if event.verb == "note.added":
        return _plain(str(data.get("kind", "note"))).capitalize()
    about = {"task": data.get("title"), "condition": event.target_name, "binding": _bound(data)}.get(noun)
    return f"{words}: {about}" if about else words


def _bound(data: dict[str, Any]) -> str:
    return str(next((data[key] for key in ("threat", "plan", "fallback", "authority") if data.get(key)), ""))


def _detail(data: dict[str, Any]) -> str:
    parts = [
        _moved(data),
        f"skipped: {', '.join(data['skipped'])}" if data.get("skipped") else "",
        f"{data['left_out']} invalid left out" if data.get("left_out") else "",
        _changed(data),
        f"for {data['owner']}" if data.get("owner") else "",
        "not needed" if data.get("outcome") == "NOT_NEEDED" else "",
        f"version {data['version']}" if data.get("version") else "",
    ]
    return " · ".join(part for part in parts if part)


def _moved(data: dict[str, Any]) -> str:
    if data.get("from") in State.values and data.get("to") in State.values and data["from"] != data["to"]:
        return f"{State(data['from']).label} → {State(data['to']).label}"
    return ""


def _changed(data: dict[str, Any]) -> str:
    if not isinstance(data.get("changes"), dict):
        return ""
    return f"changed: {', '.join(_plain(name) for name in data['changes'])}"


def _plain(code: str) -> str:
    return code.replace("_", " ").lower()
