"""Parts of sentences: names, subjects, places, times."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from corrections.panels.kinds import FEATURE_LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

NAMED = 3
"""A sentence names so many; the rest is a number, and the table beside it has them all."""
SUBJECTS = {
    "users": ("user", "users"),
    "organisations": ("organisation", "organisations"),
    "keys": ("key", "keys"),
    "regions": ("region", "regions"),
    "tiers": ("tier", "tiers"),
}
NARROWED = {
    "endpoints": ("endpoint", "endpoints"),
    "applications": ("application", "applications"),
    "use_cases": ("use case", "use cases"),
    "platforms": ("platform", "platforms"),
    "features": ("requests with", "requests with one of"),
}


def who(users: Mapping[str, object]) -> str:
    """Give ``user alice and organisation acme``, or ``everyone``."""
    parts = [named(names(users, key), *words) for key, words in SUBJECTS.items() if names(users, key)]
    return joined([*parts, *_listed_in_segments(users)]) or "everyone"


def where(functionality: Mapping[str, object]) -> str:
    """Give ``on aurora-large, all endpoints``."""
    parts = [
        f"{named(_read(functionality, key), *words)} only"
        for key, words in NARROWED.items()
        if names(functionality, key)
    ]
    return ", ".join([f"on {on_models(functionality)}", *(parts or ["all endpoints"])])


def on_models(functionality: Mapping[str, object]) -> str:
    """Give the names of the models, or ``every model``."""
    return listed(names(functionality, "models")) or "every model"


def utc(moment: datetime) -> str:
    """Write a time as everywhere else."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def duration(seconds: int) -> str:
    """Give ``60`` as ``minute``, ``90`` as ``90 seconds``: what stands after “per”."""
    for size, one in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            return one if seconds == size else f"{seconds // size} {one}s"
    raise AssertionError(seconds)


def number(value: object) -> str:
    """Write a number so that its digits can be counted: ``100 000``."""
    return f"{value:,}".replace(",", "\u00a0") if isinstance(value, int) and value >= 10_000 else str(value)  # noqa: PLR2004


def names(scope: Mapping[str, object], key: str) -> list[str]:
    """Give the names in one dimension of a scope."""
    value = scope.get(key)
    return [str(name) for name in value] if isinstance(value, list | tuple) else []


def named(found: Sequence[str], one: str, many: str) -> str:
    """Give ``user alice`` or ``users alice and bob``; nothing for nobody."""
    if not found:
        return ""
    return f"{one if len(found) == 1 else many} {listed(found)}"


def listed(found: Sequence[str]) -> str:
    """Give the names, the first few of many."""
    if len(found) <= NAMED:
        return joined(found)
    return f"{', '.join(found[:NAMED])} and {len(found) - NAMED} more"


def joined(parts: Sequence[str]) -> str:
    """Give ``a, b and c``."""
    return parts[0] if len(parts) == 1 else " and ".join([", ".join(parts[:-1]), parts[-1]]) if parts else ""


def features(found: Iterable[str]) -> list[str]:
    """Give features as people call them."""
    return [FEATURE_LABELS.get(name, name) for name in found]


def _read(scope: Mapping[str, object], key: str) -> list[str]:
    return features(names(scope, key)) if key == "features" else names(scope, key)


def _listed_in_segments(users: Mapping[str, object]) -> list[str]:
    lists = users.get("lists")
    counts: dict[str, int] = {}
    for each in lists if isinstance(lists, list | tuple) else ():
        counts[each["of"]] = counts.get(each["of"], 0) + int(each["count"])
    return [
        f"{number(count)} {of}{'s' if count != 1 else ''} listed in segments" for of, count in counts.items()
    ]
