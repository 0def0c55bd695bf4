"""The places of the product, in the order of a response."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django import template
from django.urls import NoReverseMatch, reverse

if TYPE_CHECKING:
    from django.urls import ResolverMatch

register = template.Library()


class Place(NamedTuple):
    """An entry of the navigation.

    ``key`` follows ``g`` on the keyboard; ``namespaces`` are the apps whose other pages belong here;
    ``primary`` ones fit on a phone's bar.
    """

    label: str
    url_name: str
    icon: str
    key: str
    namespaces: tuple[str, ...]
    primary: bool


PLACES = (
    Place("Queue", "incidents:queue", "queue", "q", ("monitoring",), primary=True),
    Place(
        "Incidents",
        "incidents:list",
        "incident",
        "i",
        ("incidents", "execution", "post_incident"),
        primary=True,
    ),
    Place("Corrections", "corrections:list", "correction", "c", ("corrections",), primary=True),
    Place("Inbox", "incidents:inbox", "inbox", "b", (), primary=True),
    Place("Gateways", "corrections:gateways", "gateway", "w", (), primary=False),
    Place("Segments", "segments:list", "segment", "s", ("segments",), primary=False),
    Place("Preparation", "preparation:index", "preparation", "p", ("preparation",), primary=False),
    Place("Audit", "audit:events", "audit", "a", ("audit",), primary=False),
)
_NAMED = {place.url_name for place in PLACES}


def is_here(place: Place, match: ResolverMatch | None) -> bool:
    """Tell whether the page belongs to the place: it is its page, or a deeper page of its apps."""
    if match is None:
        return False
    if match.view_name in _NAMED:
        return match.view_name == place.url_name
    return match.namespace in place.namespaces


def _address(url_name: str) -> str:
    try:
        return reverse(url_name)
    except NoReverseMatch:  # an app that is not installed has no place
        return ""


def _entry(place: Place, match: ResolverMatch | None) -> dict[str, object]:
    return {**place._asdict(), "url": _address(place.url_name), "current": is_here(place, match)}


@register.inclusion_tag("components/nav.html", takes_context=True)
def navigation(context: template.Context) -> dict[str, object]:
    """Show the places that exist, the one we are in marked; the inbox's count is fetched after the page."""
    match = getattr(context.get("request"), "resolver_match", None)
    entries = [entry for place in PLACES if (entry := _entry(place, match))["url"]]
    return {
        "primary": [entry for entry in entries if entry["primary"]],
        "others": [entry for entry in entries if not entry["primary"]],
        "count_url": _address("incidents:inbox_count"),
    }
