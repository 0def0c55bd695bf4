"""Changing a request: a smaller output, another model."""

from __future__ import annotations

import json
import math

from enforcement.decide import Verdict

FIELDS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
ADDED = {
    "chat.completions": "max_completion_tokens",
    "completions": "max_tokens",
    "responses": "max_output_tokens",
    "messages": "max_tokens",
}
"""The field that is added where a request names none; embeddings have no output to cap."""


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
    return body


def rewrite(body: dict[str, object], verdict: Verdict, *, endpoint: str, output_field: str = "") -> bytes:
    """Write the request as the policy wants it."""
    if verdict.reroute_to is not None:
        body = {**body, "model": verdict.reroute_to}
    if verdict.max_tokens is not None and endpoint in ADDED:
        body = _capped(body, verdict.max_tokens, output_field or ADDED[endpoint])
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _capped(body: dict[str, object], cap: int, added: str) -> dict[str, object]:
    """Cap what all the answers to one request may hold together."""
    count = _answers(body)
    if count > cap:
        body, count = {**body, "n": 1, "best_of": 1} if "best_of" in body else {**body, "n": 1}, 1
    each = max(1, cap // count)
    named = [name for name in FIELDS if body.get(name) is not None] or [added]
    return {**body, **{name: min(_number(body.get(name), each), each) for name in named}}


def _answers(body: dict[str, object]) -> int:
    prompts = [one for one in _list(body.get("prompt")) if not isinstance(one, int)]
    each = max(_number(body.get("n"), 1), _number(body.get("best_of"), 1), 1)
    return each * max(len(prompts), 1)


def _number(value: object, otherwise: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
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
