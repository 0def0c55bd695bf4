"""An explanation in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime

from enforcement.cli.explaining import Explained, Explanation
from enforcement.decide import Attributes

_SILENT = {"does not match", "not in force"}


def lines(found: Explanation, attributes: Attributes, *, now: datetime, every: bool) -> Iterator[str]:
    """Say what happens first, then why; corrections that do not match only where they are asked for."""
    asked = [f"{name} {_plain(value)}" for name, value in asdict(attributes).items() if value]
    yield f"request   {' · '.join(asked)}"
    yield f"at        {now.isoformat()}"
    yield f"verdict   {_verdict(found)}"
    if len(found.models) > 1:
        yield f"models    {' → '.join(found.models)}"
    shown = [each for each in found.corrections if every or each.outcome not in _SILENT]
    for each in shown:
        yield ""
        yield from _correction(each)
    hidden = len(found.corrections) - len(shown)
    if hidden:
        yield ""
        yield f"{hidden} more do{'es' if hidden == 1 else ''} not match or not bind now (--all shows why)"


def _verdict(found: Explanation) -> str:
    verdict = found.verdict
    if verdict.action == "refuse":
        return f"REFUSED {verdict.status} {verdict.code} by {verdict.correction}"
    changes = [
        *([f"answered by {verdict.reroute_to}"] if verdict.reroute_to else []),
        *([f"at most {verdict.max_tokens} tokens"] if verdict.max_tokens is not None else []),
        *([f"{len(verdict.limits)} limit(s) count it"] if verdict.limits else []),
        *([f"{len(verdict.filters)} correction(s) read or change its content"] if verdict.filters else []),
        *(f"warned by {each.correction}" for each in verdict.warnings),
    ]
    return "SERVED" + (f", {', '.join(changes)}" if changes else "")


def _correction(each: Explained) -> Iterator[str]:
    yield f"{each.id}  {each.kind}: {each.outcome}" + (f", {each.because}" if each.because else "")
    for condition in each.conditions:
        yield f"  {'✓' if condition.holds else '✗'} {condition.text}"
    if not each.conditions:
        yield "  ✓ reaches every request"


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
