"""Changing a request: a smaller output, another model."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

from enforcement import policy
from enforcement.decide import Verdict
from enforcement.filter.spelling import misspelt
from enforcement.reading import OUTPUT_FIELDS

FIELDS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


class NotAcceptableError(Exception):
    """The body is not strict JSON, or not a request."""


def parse(raw: bytes) -> dict[str, object]:
    """Read a request strictly: no name twice, no NaN, no number too large for others.

    :raises NotAcceptableError: saying what is wrong.
    """
    try:
        body = json.loads(
            raw.decode(), object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite
        )
    except (ValueError, RecursionError) as error:
        raise NotAcceptableError(str(error)) from error
    if not isinstance(body, dict):
        raise NotAcceptableError("not an object")
    if (name := misspelt(body)) is not None:
        raise NotAcceptableError(f"{name!r} differs from a name by case only")
    return body


class UncountableError(Exception):
    """Nobody can say how many answers the request asks for."""


class TooManyAnswersError(Exception):
    """One token for each prompt would be more than the cap."""


def rewrite(body: dict[str, object], verdict: Verdict, *, endpoint: str, output_field: str = "") -> bytes:
    """Write the request as the policy wants it.

    :param output_field: the one that the model knows, where it does not know all of its endpoint's.
    :raises UncountableError: saying which field is wrong.
    :raises TooManyAnswersError: it cannot be made small enough.
    """
    if verdict.reroute_to is not None:
        body = {**body, "model": verdict.reroute_to}
    if verdict.max_tokens is not None and endpoint in OUTPUT_FIELDS:
        own = OUTPUT_FIELDS[endpoint]
        known = (output_field,) if output_field in own else own
        body = _capped(body, verdict.max_tokens, own, known)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def capping(verdict: Verdict, corrections: Iterable[policy.Correction]) -> policy.Correction:
    """Give the correction that caps the output."""
    return next(
        item
        for item in corrections
        if item.id in verdict.matched
        and isinstance(item.effect, policy.OutputCap)
        and item.effect.max_tokens == verdict.max_tokens
    )


def _capped(
    body: dict[str, object], cap: int, own: tuple[str, ...], known: tuple[str, ...]
) -> dict[str, object]:
    """Cap what all the answers to one request may hold together; drop the fields that the model ignores."""
    prompts = max(1, sum(not isinstance(one, int) for one in _list(body.get("prompt"))))
    count = prompts * max(_count(body, "n"), _count(body, "best_of"))
    if count > cap:
        body, count = {**body, "n": 1, "best_of": 1} if "best_of" in body else {**body, "n": 1}, prompts
    if count > cap:
        raise TooManyAnswersError(f"{count} prompts")
    each = cap // count
    asked = {name: min(_number(body[name], each), each) for name in own if body.get(name) is not None}
    written = {name: asked[name] for name in known if name in asked}
    rest = {name: value for name, value in body.items() if name not in FIELDS}
    return {**rest, **(written or {known[0]: min(asked.values(), default=each)})}


def _count(body: dict[str, object], name: str) -> int:
    value = body.get(name)
    if value is None:
        return 1
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise UncountableError(f"{name} must be a whole number.")
    return max(1, int(value))


def _number(value: object, otherwise: int) -> int:
    """Read an amount; zero means no limit to some servers."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 1:
        return otherwise
    return int(value)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name that occurs twice")
    return found


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number too large")
    return value
