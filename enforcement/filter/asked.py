"""What a request says to the model: the texts that input filters and classifiers read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from enforcement.filter.guards import Findings, Guard
from enforcement.filter.texts import Leaf, leaves
from enforcement.filter.whole import review, together

SAID = ("messages", "input", "prompt", "system", "instructions", "suffix", "prediction")
"""The members of a request that a model reads as text."""
DEFINED = ("tools", "functions", "response_format", "text")
"""The members that define what it may call and answer; it reads their names and descriptions."""
_SERVERS = frozenset({"type", "authorization", "headers"})
"""What of a tool only its server reads."""


def groups(body: dict[str, Any]) -> Iterator[list[Leaf]]:
    """Give the texts of a request, those of one message together; what was said last comes last."""
    for name in DEFINED:
        value = body.get(name)
        for number, each in enumerate(value if isinstance(value, list) else [value]):
            found = leaves(each, (name, number), besides=_SERVERS, free=True)
            yield from ([leaf] for leaf in found)
    said = {name: body[name] for name in SAID if name in body}
    for name, value in said.items():
        if isinstance(value, str):
            yield [Leaf(body, name, (name,))]
        elif isinstance(value, dict | list):
            yield from together(leaves(value, (name,)))


def text_of(body: dict[str, Any]) -> str:
    """Give all of it as one text, for a classifier."""
    return "\n\n".join("".join(leaf.text for leaf in group) for group in groups(body))


def unreadable(body: dict[str, Any]) -> bool:
    """Tell whether a prompt is given as numbers of tokens, which no filter can read."""
    return any(_numbers(body.get(name)) for name in ("prompt", "input"))


def check(body: dict[str, Any], guards: Sequence[Guard], findings: Findings) -> bool:
    """Look into a request; redact in it. Tell whether anything was changed.

    :raises BlockedError: a correction refuses it.
    """
    changed = [review(group, guards, findings, None) for group in groups(body)]
    return any(changed)


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(each, int) or _numbers(each) for each in value)
