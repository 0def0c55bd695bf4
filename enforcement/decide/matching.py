"""Whether one correction reaches one request."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Container, Iterable
from datetime import datetime
from typing import Protocol

from enforcement import policy
from enforcement.decide.verdict import REFUSALS, Attributes

WHOLE = 100
"""Percent: everybody, so that nobody's place has to be computed."""


class Attachments(Protocol):
    """Where the long lists are kept that a policy names by address."""

    def subjects(self, address: str) -> Collection[str]:
        """Give the names of a list.

        :raises PolicyError: it is not at hand.
        """


class Lists(Protocol):
    """Where it can be asked who stands in a long list."""

    def subjects(self, address: str) -> Container[str]:
        """Give a list to look names up in."""


class NoAttachments:
    """Nothing is attached; a policy that names a list cannot be decided."""

    def subjects(self, address: str) -> Collection[str]:
        """Refuse.

        :raises PolicyError: always.
        """
        raise policy.PolicyError(f"{address}: the attachment is not at hand")


def matches(correction: policy.Correction, attributes: Attributes, attachments: Lists | None = None) -> bool:
    """Tell whether a request lies in both scopes: and across the dimensions, or within each.

    An allow list reaches everybody whom it does not name.
    """
    return _asked(correction.functionality, attributes) and concerns(correction, attributes, attachments)


def concerns(correction: policy.Correction, attributes: Attributes, attachments: Lists | None = None) -> bool:
    """Tell whether some request of this caller to this endpoint lies in both scopes, whatever it asks for."""
    return (
        _called(correction.functionality, attributes)
        and _users(correction, attributes, attachments or NoAttachments())
        and (correction.percentage == WHOLE or bucket(attributes.user) < correction.percentage)
    )


def in_force(correction: policy.Correction, now: datetime) -> bool:
    """Tell whether a correction binds now. At its expiry it holds unless its decision says lift."""
    if correction.starts_at is not None and now < correction.starts_at:
        return False
    end = lifts_at(correction)
    return end is None or now < end


def in_grace(correction: policy.Correction, now: datetime) -> bool:
    """Tell whether it only warns as yet."""
    return correction.grace_until is not None and now < correction.grace_until


def lifts_at(correction: policy.Correction) -> datetime | None:
    """Give the moment at which a correction ends by itself, if it ever does."""
    return correction.expires_at if correction.at_expiry == "lift" else None


def bucket(user: str) -> int:
    """Give a user's place between 0 and 99: the same at every gateway and in every staged roll-out."""
    return int.from_bytes(hashlib.sha256(user.encode()).digest()[:8]) % 100


def rank(correction: policy.Correction) -> tuple[int, str]:
    """Order corrections by precedence, then by id."""
    return REFUSALS[type(correction.effect)][0], correction.id


def offers(effect: policy.ToolsOff, tools: Iterable[str]) -> bool:
    """Tell whether a request offers a tool that is switched off."""
    return any(not effect.tools or name in effect.tools for name in tools)


def fallback(effect: policy.Effect, organisation: str) -> str | None:
    """Give the model that answers this organisation instead, if the effect names one."""
    if isinstance(effect, policy.Rerouting):
        return effect.fallback_model
    return effect.fallback_for(organisation) if isinstance(effect, policy.Shutdown) else None


def _asked(scope: policy.Functionality, attributes: Attributes) -> bool:
    """Compare what the body says."""
    return _names(scope.models, attributes.model) and (
        not scope.features or any(name in scope.features for name in attributes.features)
    )


def _called(scope: policy.Functionality, attributes: Attributes) -> bool:
    """Compare what is known before the body."""
    return (
        _names(scope.endpoints, attributes.endpoint)
        and _names(scope.applications, attributes.application)
        and _names(scope.use_cases, attributes.use_case)
        and _names(scope.platforms, attributes.platform)
    )


def _names(listed: tuple[str, ...], value: str) -> bool:
    return not listed or value in listed


def _users(correction: policy.Correction, attributes: Attributes, attachments: Lists) -> bool:
    if correction.users.everyone:
        return True
    named = _named(correction.users, attributes, attachments)
    return not named if isinstance(correction.effect, policy.Allow) else named


def _named(users: policy.Users, attributes: Attributes, attachments: Lists) -> bool:
    return (
        attributes.user in users.users
        or attributes.organisation in users.organisations
        or attributes.key in users.keys
        or attributes.region in users.regions
        or attributes.tier in users.tiers
        or any(getattr(attributes, each.of) in attachments.subjects(each.attachment) for each in users.lists)
    )
