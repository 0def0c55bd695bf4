"""Panels that other floors add to the incident page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from incidents.models import Incident
    from irapp.accounts.models import User

    Content = Callable[[Incident, User], object]


@dataclass(frozen=True)
class Panel:
    """A registered panel."""

    name: str
    template: str
    order: int
    content: Content


@dataclass(frozen=True)
class Filled:
    """A panel with its content for one incident and one reader; ``data`` is what the template prints."""

    name: str
    template: str
    data: object


_panels: dict[str, Panel] = {}


def register(name: str, template: str, order: int, content: Content) -> None:
    """Add a panel; called from ``AppConfig.ready``.

    :param template: included with ``panel`` (what ``content`` returned), ``incident``, ``user``,
        ``request`` and ``csrf_token``; it prints its own ``section`` with a heading.
    :param order: lower comes first; the core keeps 0 to 9 for itself.
    :param content: returns what the template prints, or None to leave the panel out.
    """
    _panels[name] = Panel(name, template, order, content)


def fill(name: str, incident: Incident, user: User) -> Filled | None:
    """Fill one panel, or give None where it is unknown or has nothing to show."""
    panel = _panels.get(name)
    data = panel.content(incident, user) if panel else None
    return Filled(name, panel.template, data) if panel and data is not None else None


def filled(incident: Incident, user: User) -> list[Filled]:
    """Fill every panel that has something to show to this reader."""
    ordered = sorted(_panels.values(), key=lambda panel: (panel.order, panel.name))
    contents = ((panel, panel.content(incident, user)) for panel in ordered)
    return [Filled(panel.name, panel.template, data) for panel, data in contents if data is not None]
