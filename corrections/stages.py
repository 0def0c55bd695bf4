"""Staged roll-out and staged restoration: the steps by which a correction reaches more users, or fewer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from corrections.terms import Terms

if TYPE_CHECKING:
    from datetime import datetime

    from corrections.models import Correction

STEPS = (10, 50, 100)
REVIEW_IN = timedelta(days=1)
"""A step is looked at the next day, unless its review still lies ahead."""


def wider(percentage: int) -> int | None:
    """Give the next step of a roll-out, if there is one."""
    return next((step for step in STEPS if step > percentage), None)


def narrower(percentage: int) -> int | None:
    """Give the next step of a restoration; after the last one it is lifted."""
    return next((step for step in reversed(STEPS) if step < percentage), None)


def stepped(correction: Correction, percentage: int, *, now: datetime) -> Terms:
    """Give its terms for another share of users; times that have passed are moved on or left out."""
    terms = replace(Terms.of(correction), percentage=percentage)
    if terms.starts_at is not None and terms.starts_at <= now:
        terms = replace(terms, starts_at=None)
    if terms.grace_until is not None and terms.grace_until <= now:
        terms = replace(terms, grace_until=None)
    if terms.review_at <= now:
        review = now + REVIEW_IN
        terms = replace(terms, review_at=min(review, terms.expires_at or review))
    return terms
