"""The places of the product, in the order of a response."""

from __future__ import annotations

from typing import NamedTuple

from django import template
from django.urls import NoReverseMatch, reverse

register = template.Library()


class Place(NamedTuple):
    """An entry of the navigation; ``key`` follows ``g`` on the keyboard, ``primary`` ones fit on a phone's bar."""

    label: str
    url_name: str
    icon: str
    key: str
    primary: bool


PLACES = (
    Place("Queue", "queue", "queue", "q", primary=True),
    Place("Incidents", "incidents:list", "incident", "i", primary=True),
    Place("Corrections", "corrections:list", "correction", "c", primary=True),
    Place("Inbox", "inbox", "inbox", "b", primary=True),
    Place("Gateways", "gateways", "gateway", "w", primary=False),
    Place("Preparation", "preparation:index", "preparation", "p", primary=False),
    Place("Audit", "audit:list", "audit", "a", primary=False),
)


def _address(url_name: str) -> str:
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


def _entries(path: str) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = []
    for place in PLACES:
        url = _address(place.url_name)
        if url:
            here = path == url or (url != "/" and path.startswith(url))
            entries.append({**place._asdict(), "url": url, "current": here})
    return entries


@register.inclusion_tag("components/nav.html", takes_context=True)
def navigation(context: template.Context) -> dict[str, object]:
    """Show the places that exist, the one we are in marked; ``inbox_count`` comes from the page's context."""
    request = context.get("request")
    entries = _entries(request.path if request else "")
    return {
        "primary": [entry for entry in entries if entry["primary"]],
        "others": [entry for entry in entries if not entry["primary"]],
        "inbox_count": context.get("inbox_count", 0),
    }
