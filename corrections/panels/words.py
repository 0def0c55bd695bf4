"""A correction in the words of a tired reader: what each class does, and one sentence for one correction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from corrections.terms import Terms

NAMED = 3
"""A sentence names so many; the rest is a number, and the table beside it has them all."""


@dataclass(frozen=True)
class ClassWords:
    """One of the five classes, and the kinds inside it with a label each."""

    code: str
    title: str
    text: str
    kinds: dict[str, str]


CLASSES = (
    ClassWords(
        "T1",
        "Restrict users",
        "The users, organisations or keys you name are refused; everyone else goes on.",
        {"block": "Block the named users"},
    ),
    ClassWords(
        "T2",
        "Limit how often",
        "Requests beyond a number per window are refused and may be tried again later.",
        {"request_limit": "Limit requests per window"},
    ),
    ClassWords(
        "T3",
        "Restrict capabilities",
        "The model goes on answering, but can do less.",
        {"tools_off": "Switch tools off", "output_cap": "Cap the length of answers"},
    ),
    ClassWords(
        "T4",
        "Forbid a use",
        "One use case, application or endpoint is refused; other uses go on.",
        {"forbid_use": "Forbid the use"},
    ),
    ClassWords(
        "T5",
        "Shut down",
        "The model stops answering, or a fallback model answers in its place.",
        {"suspend": "Suspend the model", "reroute": "Answer with a fallback model"},
    ),
)
CLASS_OF = {kind: words for words in CLASSES for kind in words.kinds}
KIND_LABELS = {kind: label for words in CLASSES for kind, label in words.kinds.items()}
SUBJECTS = {
    "users": ("user", "users"),
    "organisations": ("organisation", "organisations"),
    "keys": ("key", "keys"),
}
NARROWED = {
    "endpoints": ("endpoint", "endpoints"),
    "applications": ("application", "applications"),
    "use_cases": ("use case", "use cases"),
}


def sentence(terms: Terms) -> str:
    """Say what the correction does, to whom, on what and until when."""
    return f"{summary(terms)}{_when(terms)}."


def summary(terms: Terms) -> str:
    """Say what it does, to whom and on what; where the times stand beside it."""
    said = f"{_effect(terms)}{_share(terms)}"
    if terms.mode == "shadow":
        return f"Dry run, nothing is refused: {said[:1].lower()}{said[1:]}"
    return said


def who(users: Mapping[str, object]) -> str:
    """Give ``user alice and organisation acme``, or ``everyone``."""
    parts = [_named(_names(users, key), *words) for key, words in SUBJECTS.items() if _names(users, key)]
    return _joined(parts) or "everyone"


def where(functionality: Mapping[str, object]) -> str:
    """Give ``on aurora-large, all endpoints``."""
    parts = [
        f"{_named(_names(functionality, key), *words)} only"
        for key, words in NARROWED.items()
        if _names(functionality, key)
    ]
    return ", ".join([f"on {on_models(functionality)}", *(parts or ["all endpoints"])])


def on_models(functionality: Mapping[str, object]) -> str:
    """Give the names of the models, or ``every model``."""
    return _listed(_names(functionality, "models")) or "every model"


def utc(moment: datetime) -> str:
    """Write a time as everywhere else."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def duration(seconds: int) -> str:
    """Give ``60`` as ``minute``, ``90`` as ``90 seconds``: what stands after “per”."""
    for size, one in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            return one if seconds == size else f"{seconds // size} {one}s"
    raise AssertionError(seconds)


def _effect(terms: Terms) -> str:
    values, whom, place = terms.parameters, who(terms.users), where(terms.functionality)
    models = on_models(terms.functionality)
    beside = place.removeprefix(f"on {models}")
    forms = {
        "block": lambda: f"Refuses {whom} {place}",
        "request_limit": lambda: _limit(values, whom, place),
        "tools_off": lambda: f"Refuses requests that offer {_tools(values)}, from {whom}, {place}",
        "output_cap": lambda: f"Caps answers to {whom} at {values.get('max_tokens')} tokens {place}",
        "forbid_use": lambda: f"Refuses requests from {whom} {place}",
        "suspend": lambda: f"Stops {models} for {whom}{beside}",
        "reroute": lambda: f"Answers {whom} with {values.get('fallback_model')} instead of {models}{beside}",
    }
    return forms[terms.kind]()


def _limit(values: Mapping[str, object], whom: str, place: str) -> str:
    window = duration(int(str(values.get("window_seconds") or 1)))
    counted = values.get("per") or "user"
    return f"Limits {whom} to {values.get('requests')} requests per {window} for each {counted} {place}"


def _tools(values: Mapping[str, object]) -> str:
    return _named(_names(values, "tools"), "the tool", "one of the tools") or "any tool"


def _share(terms: Terms) -> str:
    return "" if terms.percentage == 100 else f", for {terms.percentage} % of users"  # noqa: PLR2004 - all


def _when(terms: Terms) -> str:
    start = f", from {utc(terms.starts_at)}" if terms.starts_at else ""
    if terms.expires_at is None:
        return f"{start}, until it is lifted"
    after = "then lifts by itself" if terms.at_expiry == "lift" else "then held until somebody lifts it"
    return f"{start}, until {utc(terms.expires_at)}, {after}"


def _names(scope: Mapping[str, object], key: str) -> Sequence[str]:
    value = scope.get(key)
    return [str(name) for name in value] if isinstance(value, list | tuple) else []


def _named(names: Sequence[str], one: str, many: str) -> str:
    if not names:
        return ""
    return f"{one if len(names) == 1 else many} {_listed(names)}"


def _listed(names: Sequence[str]) -> str:
    if len(names) <= NAMED:
        return _joined(names)
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else " and ".join([", ".join(parts[:-1]), parts[-1]]) if parts else ""
