"""What the pages of the log show; templates only print it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse

from irapp.audit import incidents
from irapp.audit.policies import reads_everything
from irapp.audit.selectors import Tab, filtered, visible_to
from irapp.audit.telling import tell
from irapp.common.paging import page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from irapp.accounts.models import User
    from irapp.audit.forms import Filter
    from irapp.audit.models import Event
    from irapp.audit.telling import Told
    from irapp.common.paging import Page

NOTHING = "—"


class Line(NamedTuple):
    """One event of the list."""

    event: Event
    told: Told
    url: str
    incident: str
    incident_url: str

    @property
    def names_target(self) -> bool:
        """Whether the words say already what it is about."""
        return self.event.target_name in self.told.what


@dataclass(frozen=True)
class Log:
    """One page of the log."""

    lines: list[Line]
    page: Page[Event]
    tabs: list[dict[str, object]]
    verbs: list[str]
    narrowed: bool
    may_export: bool
    query: str
    here: str


class Change(NamedTuple):
    """One value before and after."""

    label: str
    old: str
    new: str
    changed: bool = True


@dataclass(frozen=True)
class Detail:
    """Everything that an event holds."""

    line: Line
    facts: list[tuple[str, str]]
    changes: list[Change]
    raw: str
    same: list[tuple[str, str]]


def log(user: User, form: Filter, query: Mapping[str, str], verbs: list[str]) -> Log:
    """Read the page of the log that the query asks for; a filter that is wrong shows nothing."""
    events = visible_to(user)
    found = filtered(events, form.cleaned_data) if form.is_valid() else events.none()
    shown = page(found, query)
    given = form.given
    return Log(
        lines=[line(event) for event in shown.rows],
        page=shown,
        tabs=_tabs(given),
        verbs=verbs,
        narrowed=bool(given),
        may_export=reads_everything(user) and form.is_valid(),
        query=urlencode(given),
        here=f"?{urlencode(given | {'part': 'log'})}"
        if "before" not in query and "after" not in query
        else "",
    )


def line(event: Event) -> Line:
    """Tell one event."""
    told = tell(event)
    name, address = incidents.named(event.incident_id)
    url = told.url or (address if event.target_type == "incidents.incident" else "")
    return Line(event, told, url, name, address)


def detail(event: Event) -> Detail:
    """Lay out all that an event holds."""
    changes = event.data.get("changes")
    pairs = changes if isinstance(changes, dict) else {}
    differing = [_change(name, value) for name, value in pairs.items() if _is_pair(value)]
    shown = line(event)
    rest = dict(event.data)
    if differing:
        del rest["changes"]
    if shown.told.text == rest.get("reason"):
        rest.pop("reason", None)  # it stands above
    return Detail(
        line=shown,
        facts=[(label, value) for name, inner in rest.items() for label, value in _flat(_plain(name), inner)],
        changes=differing,
        raw=json.dumps(event.data, indent=2, ensure_ascii=False, sort_keys=True),
        same=_same(event),
    )


def _tabs(given: Mapping[str, str]) -> list[dict[str, object]]:
    kept = {name: value for name, value in given.items() if name != "tab"}
    here = given.get("tab", "")
    return [
        {
            "label": tab.label,
            "url": f"?{urlencode(kept | {'tab': tab.value} if tab else kept)}",
            "current": tab == here,
            "count": None,
        }
        for tab in Tab
    ]


def _same(event: Event) -> list[tuple[str, str]]:
    base = reverse("audit:events")
    asked = [(f"Everything about {event.target_name}", {"target": f"{event.target_type}:{event.target_id}"})]
    who = str(event.actor_id) if event.actor_id else "system"
    asked.append((f"Everything by {event.actor_name}", {"person": who}))
    if event.incident_id:
        name, _ = incidents.named(event.incident_id)
        asked.append((f"Everything in {name}", {"incident": name}))
    asked.append((f"Every {event.verb}", {"verb": event.verb}))
    return [(words, f"{base}?{urlencode(query)}") for words, query in asked]


def _flat(label: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [
            pair for name, inner in value.items() for pair in _flat(f"{label} › {_plain(name)}", inner)
        ] or [(label, NOTHING)]
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return [pair for number, item in enumerate(value, 1) for pair in _flat(f"{label} {number}", item)]
    return [(label, _text(value))]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or NOTHING
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return NOTHING if value in (None, "") else str(value)


def _change(name: str, value: list[Any]) -> Change:
    return Change(_plain(name), _text(value[0]), _text(value[1]))


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2  # noqa: PLR2004 - before and after


def _plain(name: object) -> str:
    return str(name).replace("_", " ").capitalize()
