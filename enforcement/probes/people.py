"""For whom probes speak: somebody inside each list of a scope, and strangers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import count, islice

from enforcement import policy
from enforcement.decide import Attachments, Attributes, bucket

STRANGER = "irapp-probe"
MANY_TOKENS = 1_000_000
MAX_VARIANTS = 3


def identities(correction: policy.Correction, attachments: Attachments) -> Iterator[Attributes]:
    """Give somebody for every list of the scope: its first and its last entry."""
    users, share = correction.users, correction.percentage
    stranger = somebody(_user_in(share))
    if users.everyone or isinstance(correction.effect, policy.Allow):
        yield stranger
        return
    for name in _in_share(users.users, share):
        yield replace(stranger, user=name)
    for field in ("organisation", "key", "region", "tier"):
        for name in _ends(getattr(users, f"{field}s")):
            yield replace(stranger, **{field: name})  # type: ignore[arg-type]
    for each in users.lists:
        names = attachments.subjects(each.attachment)
        chosen = _in_share(names, share) if each.of == "user" else tuple(islice(names, 2))
        for name in chosen:
            yield replace(stranger, **{each.of: name})  # type: ignore[arg-type]


def _in_share(names: Collection[str], share: int) -> tuple[str, ...]:
    """Give the ends of those whom a staged roll-out has reached; all of them count if it reached none."""
    if share == 100 or not names:  # noqa: PLR2004 - all
        return _ends(tuple(names) if len(names) <= MAX_VARIANTS else tuple(islice(names, 2)))
    chosen = tuple(islice((name for name in names if bucket(name) < share), 2))
    return chosen or tuple(islice(names, 2))


def listed(
    correction: policy.Correction, inside: Attributes, attachments: Attachments
) -> Iterator[Attributes]:
    """For an allow list, somebody who stands on it."""
    users = correction.users
    if isinstance(correction.effect, policy.Allow):
        for field in ("user", "organisation", "key", "region", "tier"):
            for name in getattr(users, f"{field}s")[:1]:
                yield replace(inside, **{field: name})
        for each in users.lists:
            for name in islice(attachments.subjects(each.attachment), 1):
                yield replace(inside, **{each.of: name})  # type: ignore[arg-type]


def somebody(user: str) -> Attributes:
    """Give a stranger whom no list names except by this user."""
    return Attributes(
        user=user,
        organisation=STRANGER,
        key=STRANGER,
        application=STRANGER,
        use_case=STRANGER,
        endpoint="",
        model=STRANGER,
        max_tokens=MANY_TOKENS,
        turns=1,
        tool_turns=0,
    )


def _user_in(share: int) -> str:
    return next(name for name in _names() if bucket(name) < share)


def user_beyond(share: int) -> str:
    """Give a user whom a staged roll-out has not reached, if there is one."""
    return next((name for name in _names() if bucket(name) >= share or share > 99), STRANGER)  # noqa: PLR2004


def _names() -> Iterator[str]:
    return (f"{STRANGER}-{number}" for number in count())


def nth(names: tuple[str, ...], turn: int, otherwise: str) -> str:
    """Give the names in turn."""
    return names[turn % len(names)] if names else otherwise


def _ends(names: tuple[str, ...]) -> tuple[str, ...]:
    return names if len(names) <= 2 else (names[0], names[-1])  # noqa: PLR2004
