"""Terms field by field, and two versions of them side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from corrections.panels.kinds import CLASS_OF, KIND_LABELS
from corrections.panels.parameters import described_parameters
from corrections.panels.phrases import features, number, utc
from corrections.segments import registers
from corrections.terms import Terms
from enforcement import policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCOPES = {
    "models": ("Models", "every model"),
    "endpoints": ("Endpoints", "all"),
    "applications": ("Applications", "all"),
    "use_cases": ("Use cases", "all"),
    "platforms": ("Platforms", ""),
    "features": ("Requests that use", ""),
}
SUBJECTS = {
    "users": "Users",
    "organisations": "Organisations",
    "keys": "API keys",
    "regions": "Regions",
    "tiers": "Tiers",
    "lists": "Segments",
}
WORDS = {
    "enforce": "enforced",
    "shadow": "dry run, only counted",
    "hold": "held, with an alarm",
    "lift": "lifted by itself",
    "finish": "may finish",
    "end": "are cut off",
}
TIMES = ("starts_at", "expires_at", "grace_until", "review_at")


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
        # payloads from before filters were decided on do not carry it
        expected_false_positive_percent=payload.get("expected_false_positive_percent"),
        public_reason=said["refusal"]["reason"],
        appeal=said["refusal"]["appeal"],
        **values,
    )


def _what(terms: Terms) -> dict[str, str]:
    words = CLASS_OF[terms.kind]
    rate = terms.expected_false_positive_percent
    return {
        "Class": f"{words.code} {words.title}",
        "What it does": KIND_LABELS[terms.kind],
        **described_parameters(terms.kind, terms.parameters),
        **({} if rate is None else {"Expected false positives": f"{rate:g} % of clean traffic"}),
    }


def _scopes(terms: Terms) -> dict[str, str]:
    on = {
        label: _text(_read(name, terms.functionality.get(name))) or everything
        for name, (label, everything) in SCOPES.items()
    }
    found = {label: _subjects(name, terms.users.get(name)) for name, label in SUBJECTS.items()}
    named = {label: text for label, text in found.items() if text}
    on = {label: text for label, text in on.items() if text}  # the rarer dimensions only where they narrow it
    return {**on, **(named or {"Users": "everyone"}), "Share of users": f"{terms.percentage} %"}


def _read(name: str, values: object) -> object:
    return features(values) if name == "features" and isinstance(values, list | tuple) else values


def _subjects(name: str, values: object) -> str:
    return _lists(values) if name == "lists" and isinstance(values, list | tuple) else _text(values)


def _lists(values: Iterable[Mapping[str, Any]]) -> str:
    """Segments by name, and every list by its address: the very names that were decided on."""
    scope = policy.convert({"lists": list(values)}, policy.Users)
    named = [f"{each}: {each.title}" for each in registers.described(scope)]
    lists = [
        f"{number(each.count)} {each.of}{'s' if each.count != 1 else ''} ({_short(each.attachment)})"
        for each in scope.lists
    ]
    return "; ".join([*named, *lists])


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def _when(terms: Terms) -> dict[str, str]:
    grace = {"Only warns until": utc(terms.grace_until)} if terms.grace_until else {}
    return {
        "Mode": WORDS[terms.mode],
        "Starts": utc(terms.starts_at) if terms.starts_at else "when approved",
        **grace,
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
