"""The decision about one request: pure, and the one reference for gateway, filter, preview and tests."""

from enforcement.decide.matching import (
    Attachments,
    NoAttachments,
    bucket,
    concerns,
    fallback,
    in_force,
    in_grace,
    lifts_at,
    matches,
    offers,
    rank,
)
from enforcement.decide.rules import NAMED, Rules, decide
from enforcement.decide.verdict import REFUSALS, Attributes, Limit, Verdict, Warned

__all__ = [
    "NAMED",
    "REFUSALS",
    "Attachments",
    "Attributes",
    "Limit",
    "NoAttachments",
    "Rules",
    "Verdict",
    "Warned",
    "bucket",
    "concerns",
    "decide",
    "fallback",
    "in_force",
    "in_grace",
    "lifts_at",
    "matches",
    "offers",
    "rank",
]
