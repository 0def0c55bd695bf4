"""Terms field by field, and two versions of them side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from corrections.panels.words import CLASS_OF, KIND_LABELS, utc
from corrections.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Mapping

PARAMETERS = {
    "requests": "Requests",
    "window_seconds": "Window (seconds)",
    "per": "Counted for each",
    "tools": "Tools",
    "max_tokens": "Longest answer (tokens)",
    "retry_after_seconds": "Try again after (seconds)",
    "fallback_model": "Fallback model",
}
SCOPES = {
    "models": ("Models", "every model"),
    "endpoints": ("Endpoints", "all"),
    "applications": ("Applications", "all"),
    "use_cases": ("Use cases", "all"),
}
SUBJECTS = {"users": "Users", "organisations": "Organisations", "keys": "API keys"}
WORDS = {
    "enforce": "enforced",
    "shadow": "dry run, only counted",
    "hold": "held, with an alarm",
    "lift": "lifted by itself",
    "finish": "may finish",
    "end": "are cut off",
}
TIMES = ("starts_at", "expires_at", "review_at")


@dataclass(frozen=True)
class Change:
    """One field, before and after; None where it is not set."""

    label: str
    old: str | None
    new: str | None

    @property
    def changed(self) -> bool:
        """Whether it is another value now."""
        return self.old != self.new


def described(terms: Terms) -> dict[str, str]:
    """Give every term by the name people read, in the order they ask for it."""
    return {**_what(terms), **_scopes(terms), **_when(terms), **_said(terms)}


def facts(terms: Terms) -> list[tuple[str, str]]:
    """Give the terms of one version as pairs."""
    return list(described(terms).items())


def changes(before: Terms, after: Terms) -> list[Change]:
    """Lay two versions side by side, what differs first."""
    old, new = described(before), described(after)
    rows = [Change(label, old.get(label), new.get(label)) for label in {**new, **old}]
    return sorted(rows, key=lambda row: not row.changed)


def terms_of(payload: Mapping[str, Any]) -> Terms:
    """Read the terms off the very bytes that votes are bound to."""
    said = payload["correction"]
    effect = dict(said["effect"])
    kind = effect.pop("kind")
    copied = ("functionality", "users", "mode", "at_expiry", "percentage", "running_streams")
    times = {name: said.get(name) or payload.get(name) for name in TIMES}
    values: dict[str, Any] = {name: said[name] for name in copied}
    values |= {name: datetime.fromisoformat(value) if value else None for name, value in times.items()}
    return Terms(
        kind=kind,
        parameters=effect,
        exit_criteria=payload["exit_criteria"],
        narrower_rejected=payload["narrower_rejected"],
        public_reason=said["refusal"]["reason"],
        appeal=said["refusal"]["appeal"],
        **values,
    )


def _what(terms: Terms) -> dict[str, str]:
    words = CLASS_OF[terms.kind]
    values = {PARAMETERS[name]: _text(value) for name, value in terms.parameters.items() if value is not None}
    if "Tools" in values:
        values["Tools"] = values["Tools"] or "every tool"
    return {"Class": f"{words.code} {words.title}", "What it does": KIND_LABELS[terms.kind], **values}


def _scopes(terms: Terms) -> dict[str, str]:
    on = {
        label: _text(terms.functionality.get(name)) or everything
        for name, (label, everything) in SCOPES.items()
    }
    named = {label: _text(terms.users.get(name)) for name, label in SUBJECTS.items() if terms.users.get(name)}
    return {**on, **(named or {"Users": "everyone"}), "Share of users": f"{terms.percentage} %"}


def _when(terms: Terms) -> dict[str, str]:
    return {
        "Mode": WORDS[terms.mode],
        "Starts": utc(terms.starts_at) if terms.starts_at else "when approved",
        "Expires": utc(terms.expires_at) if terms.expires_at else "when lifted",
        "At expiry": WORDS[terms.at_expiry],
        "Running answers": WORDS[terms.running_streams],
    }


def _said(terms: Terms) -> dict[str, str]:
    return {
        "Reason for callers": terms.public_reason or "none given",
        "Appeal": terms.appeal or "none given",
        "Review": utc(terms.review_at),
        "Exit criteria": terms.exit_criteria,
        "Narrower option": terms.narrower_rejected or "nothing said",
    }


def _text(value: object) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, list | tuple) else str(value or "")
