"""The limit as it travels in every question: written for Envoy, read by the service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from enforcement import policy

DOMAIN = "irapp"


class AskError(ValueError):
    """The question makes no sense; the text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """The limit: its kind, and its numbers in the order of the kind."""

    kind: Literal["requests", "tokens", "concurrent"]
    amount: int
    window_ms: int = 0
    burst: int = 0
    metric: str = "total"


def parse_rule(text: str) -> Rule:
    """Read a rule as :func:`rule_of` writes it.

    :raises AskError: it is none.
    """
    match text.split(";"):
        case ["requests", amount, seconds, burst]:
            amount_, seconds_, burst_ = _numbers(amount, seconds, burst)
            return Rule(kind="requests", amount=amount_, window_ms=seconds_ * 1000, burst=burst_)
        case ["tokens", amount, seconds, "input" | "output" | "total" as metric]:
            amount_, seconds_ = _numbers(amount, seconds)
            return Rule(kind="tokens", amount=amount_, window_ms=seconds_ * 1000, metric=metric)
        case ["concurrent", amount]:
            (amount_,) = _numbers(amount)
            return Rule(kind="concurrent", amount=amount_)
    raise AskError(f"no rule: {text!r}")


def rule_of(effect: policy.Limiting) -> str:
    """Write the rule of an effect."""
    match effect:
        case policy.RequestLimit(requests=amount, window_seconds=seconds, burst=burst):
            return f"requests;{amount};{seconds};{burst or 0}"
        case policy.TokenLimit(tokens=amount, window_seconds=seconds, metric=metric):
            return f"tokens;{amount};{seconds};{metric}"
        case policy.ConcurrencyLimit(requests=amount):
            return f"concurrent;{amount}"


def _numbers(amount: str, *more: str) -> Sequence[int]:
    texts = (amount, *more)
    if not all(text.isdecimal() for text in texts) or int(amount) < 1:
        raise AskError(f"no numbers: {';'.join(texts)}")
    return [int(text) for text in texts]
