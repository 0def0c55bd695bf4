"""Whether terms make sense; every refusal names its field, as the form and the API call it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from corrections.complaints import complaint
from enforcement import policy
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from corrections.terms import Terms

NO_DIGEST = "sha256:" + "0" * 64
"""Stands where an approval will stand, in previews and checks."""
SUBJECTS_MOST = 100_000
FILTERS = frozenset({"input_filter", "output_filter", "classifier"})
"""Kinds that look into content, and can be wrong about it."""
_T = TypeVar("_T")


def spec(terms: Terms, *, policy_id: str = "COR-0.0", approval_digest: str = NO_DIGEST) -> policy.Correction:
    """Give the terms as the policy will say them.

    :raises InvalidError: naming the field, for example ``parameters.requests``.
    """
    if terms.kind not in policy.EFFECTS:
        raise InvalidError(f"There is no kind {terms.kind!r}.", field="kind", code="unknown_kind")
    parameters = _in_order(terms.parameters)
    effect = _convert("parameters", {"kind": terms.kind, **parameters}, policy.EFFECTS[terms.kind])
    functionality = _convert("functionality", dict(terms.functionality), policy.Functionality)
    users = _convert("users", dict(terms.users), policy.Users)
    whole = {
        "id": policy_id,
        "effect": _plain(effect),
        "functionality": _tidy(functionality),
        "users": _tidy(users),
        "mode": terms.mode,
        "starts_at": terms.starts_at,
        "expires_at": terms.expires_at,
        "at_expiry": terms.at_expiry,
        "grace_until": terms.grace_until,
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
    _check_filter(terms)
    tidy = spec(terms)
    _check_exemption(terms)
    parameters = _plain(tidy.effect)
    parameters.pop("kind")
    return replace(
        terms,
        parameters=parameters,
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
    for name in ("starts_at", "expires_at", "review_at", "grace_until"):
        moment: datetime | None = getattr(terms, name)
        if moment is not None and moment.tzinfo is None:
            raise InvalidError("The time needs its offset.", field=name, code="no_offset")
    for name, called in (("expires_at", "expiry"), ("review_at", "review"), ("grace_until", "grace period")):
        moment = getattr(terms, name)
        if moment is not None and moment <= now:
            raise InvalidError(f"The {called} is in the past.", field=name, code="in_the_past")
    if terms.expires_at is not None and terms.review_at > terms.expires_at:
        raise InvalidError("The review comes after the expiry.", field="review_at", code="after_expiry")


def _check_filter(terms: Terms) -> None:
    """Whoever decides on a filter is told how much clean traffic it is expected to hit."""
    field, rate = "expected_false_positive_percent", terms.expected_false_positive_percent
    if rate is None:
        if terms.kind in FILTERS and terms.mode == "enforce":
            raise InvalidError(
                "Say what share of clean traffic it is expected to hit; a dry run measures it.",
                field=field,
                code="required",
            )
    elif terms.kind not in FILTERS:
        raise InvalidError("Only filters and classifiers have such a rate.", field=field, code="bad_terms")
    elif not 0 <= rate <= 100:  # noqa: PLR2004 - a percentage
        raise InvalidError("A share between 0 and 100.", field=field, code="out_of_range")


def _check_exemption(terms: Terms) -> None:
    """An exemption is a hole in what was decided: it closes by itself."""
    if terms.kind != "exempt":
        return
    if terms.expires_at is None:
        raise InvalidError("An exemption ends: say when.", field="expires_at", code="required")
    if terms.at_expiry != "lift":
        raise InvalidError(
            "An exemption ends by itself when its time is over; it is not held.",
            field="at_expiry",
            code="bad_terms",
        )


def _check_sizes(terms: Terms) -> None:
    for field, scope in (("functionality", terms.functionality), ("users", terms.users)):
        for name, values in scope.items():
            if isinstance(values, list | tuple) and len(values) > SUBJECTS_MOST:
                message = f"At most {SUBJECTS_MOST} names; these are {len(values)}."
                raise InvalidError(message, field=f"{field}.{name}", code="too_many")


def _in_order(parameters: Mapping[str, object]) -> dict[str, object]:
    """Give the fallbacks of customers in the one order that the policy takes; an object is a list too."""
    given = parameters.get("fallback_models")
    if isinstance(given, dict):
        given = [{"organisation": name, "model": model} for name, model in given.items()]
    if not isinstance(given, list | tuple) or not all(isinstance(each, dict) for each in given):
        return dict(parameters)
    names = Counter(str(each.get("organisation")) for each in given)
    if twice := next((name for name, times in names.items() if times > 1), None):
        raise InvalidError(
            f"{twice} has two fallbacks.", field="parameters.fallback_models", code="bad_terms"
        )
    ordered = sorted(given, key=lambda each: str(each.get("organisation")))
    return {**parameters, "fallback_models": ordered}


def _plain(effect: msgspec.Struct) -> dict[str, Any]:
    """Give an effect as plain data, each name of a list once and in order: same terms, same digest."""
    said: dict[str, Any] = msgspec.to_builtins(effect)
    return {name: _each_once(value) for name, value in said.items()}


def _each_once(value: object) -> object:
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return sorted(set(value))
    return value


def _tidy(scope: msgspec.Struct) -> dict[str, list[Any]]:
    """Each name once, in order, so that the same scope has the same digest."""
    return {name: _ordered(getattr(scope, name)) for name in scope.__struct_fields__}


def _ordered(values: Iterable[Any]) -> list[Any]:
    once = sorted(set(values), key=str)
    return [msgspec.to_builtins(value) for value in once]


def _convert(field: str, value: Mapping[str, object], kind: type[_T]) -> _T:
    try:
        return policy.convert(value, kind)
    except policy.PolicyError as error:
        raise complaint(field, str(error)) from error
