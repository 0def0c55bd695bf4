"""Why a correction reaches a request, or does not: each condition of :func:`enforcement.decide.matches`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from enforcement import policy
from enforcement.decide import Attachments, Attributes, bucket, lifts_at

SHOWN = 5
_FUNCTIONALITY = {
    "models": "model",
    "endpoints": "endpoint",
    "applications": "application",
    "use_cases": "use_case",
    "platforms": "platform",
}
_USERS = {
    "users": "user",
    "organisations": "organisation",
    "keys": "key",
    "regions": "region",
    "tiers": "tier",
}


@dataclass(frozen=True)
class Condition:
    """One thing that has to hold, and whether it does."""

    about: str
    holds: bool
    text: str


def conditions(
    item: policy.Correction, attributes: Attributes, attachments: Attachments
) -> Iterator[Condition]:
    """Give every condition that the scopes of a correction ask for."""
    for field, attribute in _FUNCTIONALITY.items():
        if listed := getattr(item.functionality, field):
            yield _among(attribute, getattr(attributes, attribute), listed)
    if item.functionality.features:
        yield _features(item.functionality.features, attributes.features)
    if not item.users.everyone:
        yield _users(item, attributes, attachments)
    if item.percentage < 100:  # noqa: PLR2004 - all
        place = bucket(attributes.user)
        reached = place < item.percentage
        text = f"user {attributes.user} has place {place} of 100; reached are those below {item.percentage}"
        yield Condition("percentage", reached, text)


def when(item: policy.Correction, now: datetime) -> str:
    """Say why a correction does not bind at a moment."""
    if item.starts_at is not None and now < item.starts_at:
        return f"it starts at {item.starts_at.isoformat()}"
    end = lifts_at(item)
    return f"it ended at {end.isoformat()}" if end is not None and now >= end else ""


def _among(attribute: str, value: str, listed: tuple[str, ...]) -> Condition:
    named = attribute.replace("_", " ")
    said = f"{named} {value}" if value else f"no {named}"
    holds = value in listed
    return Condition(attribute, holds, f"{said} is {'' if holds else 'not '}among {_some(listed)}")


def _features(listed: tuple[str, ...], used: tuple[str, ...]) -> Condition:
    both = [name for name in used if name in listed]
    text = f"uses {', '.join(both)}" if both else f"uses none of {_some(listed)}"
    return Condition("features", bool(both), text)


def _users(item: policy.Correction, attributes: Attributes, attachments: Attachments) -> Condition:
    found = list(_named(item.users, attributes, attachments))
    if isinstance(item.effect, policy.Allow):
        text = f"{found[0]} is on the allow list" if found else "nobody of the request is on the allow list"
        return Condition("users", not found, text)
    text = f"{found[0]} is named" if found else f"none of {_whom(attributes)} is named"
    return Condition("users", bool(found), text)


def _named(users: policy.Users, attributes: Attributes, attachments: Attachments) -> Iterator[str]:
    for field, attribute in _USERS.items():
        value = getattr(attributes, attribute)
        if value in getattr(users, field):
            yield f"{attribute} {value}"
    for each in users.lists:
        value = getattr(attributes, each.of)
        if value in attachments.subjects(each.attachment):
            yield f"{each.of} {value} (in the list {each.attachment[:19]}… of {each.count})"


def _whom(attributes: Attributes) -> str:
    values = {attribute: getattr(attributes, attribute) for attribute in _USERS.values()}
    return ", ".join(f"{name} {value}" for name, value in values.items() if value)


def _some(listed: tuple[str, ...]) -> str:
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
