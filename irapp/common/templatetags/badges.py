"""States and severities as text, shape and colour: never colour alone."""

from __future__ import annotations

from typing import NamedTuple

from django import template

register = template.Library()


class Look(NamedTuple):
    """How one code is shown; an empty label means the code itself in words."""

    tone: str
    icon: str
    label: str = ""


UNKNOWN = Look("neutral", "ring")

STATES: dict[str, Look] = {
    # incidents
    "PREPARATION": Look("info", "preparation"),
    "MONITORING": Look("accent", "eye"),
    "EXECUTION": Look("danger", "bolt"),
    "POST_INCIDENT": Look("info", "loop", "Post-incident"),
    "CLOSED": Look("neutral", "square"),
    "DISMISSED": Look("neutral", "slash"),
    # corrections and proposals
    "DRAFT": Look("neutral", "dashed"),
    "PROPOSED": Look("warn", "hourglass"),
    "APPROVED": Look("accent", "check-circle"),
    "ENFORCING": Look("accent", "half", "Being enforced"),
    "ACTIVE": Look("ok", "shield-check"),
    "LIFTING": Look("accent", "half", "Being lifted"),
    "LIFTED": Look("neutral", "square"),
    "REJECTED": Look("danger", "cross-circle"),
    "WITHDRAWN": Look("neutral", "slash"),
    "EXPIRED": Look("neutral", "clock"),
    "FAILED": Look("danger", "octagon-cross"),
    "SUPERSEDED": Look("neutral", "loop"),
    "PERMANENT": Look("ok", "lock"),
    "OPEN": Look("warn", "hourglass"),
    "PENDING": Look("warn", "hourglass"),
    "DECIDED": Look("neutral", "check-circle"),
    "EXECUTED": Look("ok", "shield-check"),
    "LAPSED": Look("neutral", "clock"),
    "VOIDED": Look("neutral", "slash"),
    # signals, tasks, reports
    "NEW": Look("warn", "signal"),
    "ACKNOWLEDGED": Look("accent", "eye"),
    "ATTACHED": Look("info", "link"),
    "LINKED": Look("info", "link"),
    "RESOLVED": Look("ok", "check-circle"),
    "TODO": Look("warn", "ring", "To do"),
    "IN_PROGRESS": Look("accent", "half"),
    "DONE": Look("ok", "check-circle"),
    "NOT_NEEDED": Look("neutral", "slash", "Not needed"),
    "CANCELLED": Look("neutral", "slash"),
    "IN_REVIEW": Look("warn", "hourglass"),
    "SIGNED": Look("ok", "decision"),
    # gateways
    "LIVE": Look("ok", "signal"),
    "SILENT": Look("danger", "octagon-cross"),
    "STALE": Look("warn", "clock"),
    "PAUSED": Look("warn", "slash"),
    "REMOVED": Look("neutral", "slash"),
    "IN_FORCE": Look("ok", "shield-check"),
    "VERIFIED": Look("ok", "shield-check"),
    "UNVERIFIED": Look("warn", "hourglass", "Not verified yet"),
    "SCHEDULED": Look("info", "clock"),
    "SHADOW": Look("info", "eye"),
}

SEVERITIES: dict[str, tuple[str, Look]] = {
    "1": ("s1", Look("danger", "sev-1", "Critical")),
    "2": ("s2", Look("danger", "sev-2", "High")),
    "3": ("s3", Look("warn", "sev-3", "Moderate")),
    "4": ("s4", Look("neutral", "sev-4", "Low")),
}
SEVERITY_NAMES = {"CRITICAL": "1", "HIGH": "2", "MODERATE": "3", "MEDIUM": "3", "LOW": "4"}


def in_words(code: str) -> str:
    """``POST_INCIDENT`` as ``Post incident``."""
    return code.replace("_", " ").replace("-", " ").capitalize()


@register.inclusion_tag("components/badge.html")
def state(code: object, label: str = "") -> dict[str, object]:
    """Show a state: ``{% state correction.state %}``; a label of one's own as second argument."""
    text = str(code)
    look = STATES.get(text.upper(), UNKNOWN)
    return {
        "tone": look.tone,
        "icon": look.icon,
        "label": label or look.label or in_words(text),
        "kind": "state",
    }


@register.inclusion_tag("components/badge.html")
def severity(code: object) -> dict[str, object]:
    """Show a severity by 1 … 4, S1 … S4, SEV1 … or its name; unknown ones as they are."""
    text = str(code).upper()
    rank = SEVERITY_NAMES.get(text) or text.removeprefix("SEV").removeprefix("S").strip("-_ ")
    kind, look = SEVERITIES.get(rank, ("unknown", Look("neutral", "dashed", in_words(text) or "Not set")))
    return {"tone": look.tone, "icon": look.icon, "label": look.label, "kind": f"severity severity-{kind}"}


@register.inclusion_tag("components/badge.html")
def badge(label: str, tone: str = "neutral", icon: str = "ring") -> dict[str, object]:
    """Show a word that is neither a state nor a severity."""
    return {"tone": tone, "icon": icon, "label": label, "kind": "plain"}
