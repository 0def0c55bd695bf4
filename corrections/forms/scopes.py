"""The fields of the two scopes, and what the form begins with."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from corrections.forms import offered
from corrections.forms.parameters import FIELDS, parameter_of
from corrections.terms import Terms
from corrections.validation import FILTERS
from enforcement import policy

if TYPE_CHECKING:
    from collections.abc import Mapping

FUNCTIONALITY = ("models", "endpoints", "applications", "use_cases", "platforms", "features")
USERS = ("users", "organisations", "keys", "regions", "tiers")
SEGMENTS = "segments"
PLAIN = tuple(
    each.name for each in fields(Terms) if each.name not in {"kind", "parameters", "functionality", "users"}
)
DEFAULTS: dict[str, Any] = {
    "kind": "block",
    "mode": "enforce",
    "at_expiry": "hold",
    "percentage": 100,
    "running_streams": "finish",
    "window_seconds": 60,
    "per": "user",
    "metric": "total",
    "done": "block",
    "threshold": 1,
    "score": 50,
    "where": "input",
    "timeout_ms": 1000,
    "on_failure": "refuse",
    "position": "prepend",
}
ROUGH: dict[str, Any] = {
    **dict.fromkeys(
        ("starts_at", "expires_at", "review_at", "grace_until", "expected_false_positive_percent")
    ),
    **dict.fromkeys(("public_reason", "appeal", "exit_criteria", "narrower_rejected"), ""),
    **{name: DEFAULTS[name] for name in ("mode", "at_expiry", "percentage", "running_streams")},
}
"""Stands in for what is not filled in yet, or not asked for."""
FIXED: dict[str, dict[str, Any]] = {"exempt": {"mode": "enforce", "at_expiry": "lift"}}
"""What a kind leaves no choice in."""
NEVER_REFUSE = frozenset({"exempt", "system_prompt"})
STREAMLESS = frozenset(
    {"halt", "exempt", "request_limit", "token_limit", "concurrency_limit", "turn_limit", "system_prompt"}
)
"""Kinds for which running answers are no question: they end anyway, or they are not touched."""


def unasked(kind: str) -> set[str]:
    """Give the fields that make no sense for a kind."""
    graceful = issubclass(policy.EFFECTS[kind], policy.GRACEFUL)
    return {
        *FIXED.get(kind, {}),
        *(() if graceful else ("grace_until",)),
        *(() if kind in FILTERS else ("expected_false_positive_percent",)),
        *(("running_streams",) if kind in STREAMLESS else ()),
        *(("public_reason", "appeal") if kind in NEVER_REFUSE else ()),
    }


def spread(terms: Terms) -> dict[str, object]:
    """Lay nested terms out as the flat fields of the form."""
    plain = {name: getattr(terms, name) for name in PLAIN}
    named = {parameter_of(name): name for name in FIELDS[terms.kind]()}
    values = {named.get(name, name): value for name, value in terms.parameters.items()}
    if "patterns" in values:
        values["patterns"] = offered.named_patterns(terms.kind, terms.parameters)
    users = {name: values for name, values in terms.users.items() if name != "lists"}
    segments = {SEGMENTS: offered.named_segments(terms.users)}
    return {"kind": terms.kind, **plain, **terms.functionality, **users, **segments, **values}


def gathered(data: Mapping[str, Any], kind: str) -> Terms:
    """Give what was typed as the actions take it; not frozen yet.

    :param data: every field that was asked for.
    """
    parameters = {parameter_of(name): data[name] for name in FIELDS[kind]() if data[name] is not None}
    return Terms(
        kind=kind,
        parameters=parameters,
        functionality={name: data[name] for name in FUNCTIONALITY},
        users={name: data[name] for name in USERS} | offered.as_lists(data[SEGMENTS]),
        **{name: data.get(name, ROUGH[name]) for name in PLAIN} | FIXED.get(kind, {}),
    )
