"""Whether terms make sense; every refusal names its field, as the form and the API call it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import msgspec

from enforcement import policy
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from corrections.terms import Terms

NO_DIGEST = "sha256:" + "0" * 64
"""Stands where an approval will stand, in previews and checks."""
SUBJECTS_MOST = 100_000
_PATH = re.compile(r" - at `\$\.?([^`]*)`$")
_INDEX = re.compile(r"\[([^\]]*)\]")
_NAMED = re.compile(r"(missing required|contains unknown) field `([^`]+)`")
_OWN = re.compile(r"^([a-z_.]+): (.+)$")
_QUOTED = re.compile(r"`([^`]*)`")
_PLAIN = {
    "int": "a whole number",
    "str": "a text",
    "array": "a list",
    "object": "an object",
    "null": "nothing",
}
_T = TypeVar("_T")


def spec(terms: Terms, *, policy_id: str = "COR-0.0", approval_digest: str = NO_DIGEST) -> policy.Correction:
    """Give the terms as the policy will say them.

    :raises InvalidError: naming the field, for example ``parameters.requests``.
    """
    if terms.kind not in policy.EFFECTS:
        raise InvalidError(f"There is no kind {terms.kind!r}.", field="kind", code="unknown_kind")
    _convert("parameters", {"kind": terms.kind, **terms.parameters}, policy.EFFECTS[terms.kind])
    functionality = _convert("functionality", dict(terms.functionality), policy.Functionality)
    users = _convert("users", dict(terms.users), policy.Users)
    whole = {
        "id": policy_id,
        "effect": {"kind": terms.kind, **terms.parameters},
        "functionality": _tidy(functionality),
        "users": _tidy(users),
        "mode": terms.mode,
        "starts_at": terms.starts_at,
        "expires_at": terms.expires_at,
        "at_expiry": terms.at_expiry,
        "percentage": terms.percentage,
        "running_streams": terms.running_streams,
        "refusal": {"reason": terms.public_reason, "appeal": terms.appeal},
        "approval_digest": approval_digest,
    }
    return _convert("", whole, policy.Correction)


def check(terms: Terms, *, now: datetime) -> Terms:
    """Check everything that can be known without asking anybody, and give the terms tidied up.

    :raises InvalidError: naming the field.
    """
    _check_shapes(terms)
    _check_texts(terms)
    _check_times(terms, now=now)
    _check_sizes(terms)
    tidy = spec(terms)
    effect: dict[str, object] = msgspec.to_builtins(tidy.effect)
    effect.pop("kind")
    return replace(
        terms,
        parameters=effect,
        functionality=_tidy(tidy.functionality),
        users=_tidy(tidy.users),
        public_reason=terms.public_reason.strip(),
        exit_criteria=terms.exit_criteria.strip(),
    )


def text(value: str, *, field: str, required: bool = False, most: int = 10_000) -> str:
    """Give a text that PostgreSQL and canonical JSON can both carry.

    :raises InvalidError: empty where something must be said, too long, or with characters nobody can store.
    """
    value = value.strip()
    if required and not value:
        raise InvalidError("This has to be filled in.", field=field, code="required")
    if len(value) > most:
        raise InvalidError(
            f"At most {most} characters; these are {len(value)}.", field=field, code="too_long"
        )
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidError("It contains a character that cannot be stored.", field=field, code="bad_text")
    return value


def _check_shapes(terms: Terms) -> None:
    for name in ("parameters", "functionality", "users"):
        if not isinstance(getattr(terms, name), dict):
            raise InvalidError("An object with named fields is needed.", field=name, code="bad_terms")
    if "kind" in terms.parameters:
        raise InvalidError("There is no such field.", field="parameters.kind", code="bad_terms")


def _check_texts(terms: Terms) -> None:
    text(terms.exit_criteria, field="exit_criteria", required=True)
    text(terms.narrower_rejected, field="narrower_rejected")
    text(terms.public_reason, field="public_reason", most=500)
    text(terms.appeal, field="appeal", most=500)


def _check_times(terms: Terms, *, now: datetime) -> None:
    for name in ("starts_at", "expires_at", "review_at"):
        moment: datetime | None = getattr(terms, name)
        if moment is not None and moment.tzinfo is None:
            raise InvalidError("The time needs its offset.", field=name, code="no_offset")
    if terms.expires_at is not None and terms.expires_at <= now:
        raise InvalidError("The expiry is in the past.", field="expires_at", code="in_the_past")
    if terms.review_at <= now:
        raise InvalidError("The review is in the past.", field="review_at", code="in_the_past")
    if terms.expires_at is not None and terms.review_at > terms.expires_at:
        raise InvalidError("The review comes after the expiry.", field="review_at", code="after_expiry")


def _check_sizes(terms: Terms) -> None:
    for field, scope in (("functionality", terms.functionality), ("users", terms.users)):
        for name, values in scope.items():
            if isinstance(values, list | tuple) and len(values) > SUBJECTS_MOST:
                message = f"At most {SUBJECTS_MOST} names; these are {len(values)}."
                raise InvalidError(message, field=f"{field}.{name}", code="too_many")


def _tidy(scope: msgspec.Struct) -> dict[str, list[str]]:
    """Each name once, in order, so that the same scope has the same digest."""
    return {name: sorted(set(getattr(scope, name))) for name in scope.__struct_fields__}


def _convert(field: str, value: Mapping[str, object], kind: type[_T]) -> _T:
    try:
        return policy.convert(value, kind)
    except policy.PolicyError as error:
        raise _refusal(field, str(error)) from error


def _refusal(field: str, message: str) -> InvalidError:
    path = _PATH.search(message)
    parts = [field, _INDEX.sub("", path[1])] if path else [field]
    entry = _INDEX.search(path[1]) if path else None
    message = _PATH.sub("", message)
    if named := _NAMED.search(message):
        parts.append(named[2])
        message = "This is needed." if named[1].startswith("missing") else "There is no such field."
    elif own := _OWN.match(message):
        parts.append(own[1])
        message = own[2]
    elif "matching regex" in message:
        message = "A name has no white space, quotes, backslash, semicolon, comma or equals sign."
    name = ".".join(part for part in parts if part)
    message = _QUOTED.sub(lambda found: _PLAIN.get(found[1], found[1]), message)
    message = message[:1].upper() + message[1:]
    if entry and entry[1].isdecimal():
        message = f"Entry {int(entry[1]) + 1}: {message}"
    return InvalidError(message, field=_as_called(name), code="bad_terms")


def _as_called(path: str) -> str:
    """Name a field of the policy as the terms call it."""
    called = {"effect": "parameters", "refusal.reason": "public_reason", "refusal.appeal": "appeal"}
    if path in called:
        return called[path]
    return path.replace("effect.", "parameters.", 1) if path.startswith("effect.") else path
