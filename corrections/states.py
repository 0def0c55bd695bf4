"""The states of a correction and of a proposal, and the diagram that the code itself draws."""

from __future__ import annotations

from django.apps import apps
from django.db.models import TextChoices

from incidents.states import mermaid as draw


class State(TextChoices):
    """Where a correction stands. ``ACTIVE`` means verified at the gateways, never merely sent."""

    DRAFT = "DRAFT", "Draft"
    PROPOSED = "PROPOSED", "Proposed"
    APPROVED = "APPROVED", "Approved"
    ENFORCING = "ENFORCING", "Being enforced"
    ACTIVE = "ACTIVE", "Active"
    LIFTING = "LIFTING", "Being lifted"
    LIFTED = "LIFTED", "Lifted"
    REJECTED = "REJECTED", "Rejected"
    WITHDRAWN = "WITHDRAWN", "Withdrawn"
    EXPIRED = "EXPIRED", "Expired undecided"
    FAILED = "FAILED", "Not enforced in time"
    SUPERSEDED = "SUPERSEDED", "Superseded"
    PERMANENT = "PERMANENT", "Permanent"


EDITABLE = frozenset({State.DRAFT, State.PROPOSED, State.EXPIRED})
"""Nobody has approved it yet, so its terms may still change."""

IN_POLICY = frozenset({State.ENFORCING, State.ACTIVE, State.FAILED, State.PERMANENT})
"""Wanted at the gateways. FAILED is among them: what could not be verified is never lifted silently."""

VERIFIED = frozenset({State.ACTIVE, State.PERMANENT})
"""Every gateway has shown it in force; whatever no longer shows it is drift."""

IN_FLIGHT = frozenset({State.PROPOSED, State.APPROVED, State.ENFORCING, State.LIFTING})
"""Something is still to be decided, enforced or confirmed."""

ENDED = frozenset({State.LIFTED, State.REJECTED, State.WITHDRAWN, State.EXPIRED, State.SUPERSEDED})
"""Nothing of it is in force, and nothing is owed."""


class ProposalState(TextChoices):
    """What became of a proposal."""

    OPEN = "OPEN", "Open"
    APPROVED = "APPROVED", "Approved"
    REJECTED = "REJECTED", "Rejected"
    WITHDRAWN = "WITHDRAWN", "Withdrawn"
    LAPSED = "LAPSED", "Lapsed"


class Action(TextChoices):
    """What a proposal asks for."""

    IMPOSE = "IMPOSE", "Impose"
    LIFT = "LIFT", "Lift"
    MAKE_PERMANENT = "MAKE_PERMANENT", "Make permanent"


class Verdict(TextChoices):
    """What a decision-maker says."""

    APPROVE = "APPROVE", "Approve"
    REJECT = "REJECT", "Reject"


class Breadth(TextChoices):
    """Whom a correction touches: named subjects, or everyone."""

    NARROW = "NARROW", "Named users, organisations or keys"
    BROAD = "BROAD", "Everyone, a region, a tier or a large segment"


class OrderState(TextChoices):
    """Where an order to destroy components stands. It is recorded here and carried out elsewhere."""

    DRAFTED = "DRAFTED", "Drafted"
    ORDERED = "ORDERED", "Ordered"
    WITHDRAWN = "WITHDRAWN", "Withdrawn"


SEVERITIES = ("LOW", "MODERATE", "HIGH", "CRITICAL")
"""From mild to grave, as incidents use them."""


def mermaid() -> str:
    """Draw the state machine of a correction, from its declared moves."""
    return draw(apps.get_model("corrections", "Correction"))
