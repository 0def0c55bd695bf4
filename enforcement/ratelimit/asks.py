"""What Envoy asks, read from descriptors strictly: a limit that is misunderstood is a limit that is lost.

The limit itself travels in every question: this service needs no policy, and is never behind the gateway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from enforcement.ratelimit.wire.ratelimit_pb2 import Descriptor

DOMAIN = "irapp"
PROBE = "probe;"
"""How the subject of a probe begins; names hold no ``;``."""
MOST_PLACES = 1000
"""A probe that holds all places of a larger limit does so at this scale."""
Metric: TypeAlias = Literal["input", "output", "total"]


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """One descriptor.

    :param part: at the end of a stream, which of its figures ``hits`` is.
    :param dry: the limit only counts and never refuses.
    """

    limit: str
    rule: Rule
    subject: str
    hits: int = 1
    lease: str = ""
    part: str = ""
    dry: bool = False
    back: bool = False

    @property
    def probe(self) -> bool:
        """Whether a probe asks, as a subject that is nobody else."""
        return self.subject.startswith(PROBE)


def read(descriptor: Descriptor) -> Ask:
    """Read one descriptor.

    :raises AskError: something is missing, unknown or no number.
    """
    entries = {entry.key: entry.value for entry in descriptor.entries}
    rule = parse_rule(entries.pop("rule", ""))
    limit, subject = entries.pop("limit", ""), entries.pop("subject", "")
    if not limit or not subject:
        raise AskError("limit and subject are needed")
    ask = Ask(
        limit=limit,
        rule=rule,
        subject=subject,
        hits=descriptor.hits_addend.value if descriptor.HasField("hits_addend") else 1,
        lease=entries.pop("lease", ""),
        part=entries.pop("part", ""),
        dry=bool(entries.pop("dry", "")),
        back=descriptor.is_negative_hits,
    )
    if entries:
        raise AskError(f"unknown: {', '.join(sorted(entries))}")
    if rule.kind == "concurrent" and not ask.lease:
        raise AskError("lease is needed to hold a place")
    return ask


def parse_rule(text: str) -> Rule:
    """Read a rule as :func:`write_requests` and its like write it.

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


def write_requests(amount: int, seconds: int, burst: int | None) -> str:
    """Write the rule of a request limit."""
    return f"requests;{amount};{seconds};{burst or 0}"


def write_tokens(amount: int, seconds: int, metric: Metric) -> str:
    """Write the rule of a token limit."""
    return f"tokens;{amount};{seconds};{metric}"


def write_concurrent(amount: int) -> str:
    """Write the rule of a limit of requests at the same time."""
    return f"concurrent;{amount}"


def _numbers(amount: str, *more: str) -> Sequence[int]:
    texts = (amount, *more)
    if not all(text.isdecimal() for text in texts) or int(amount) < 1:
        raise AskError(f"no numbers: {';'.join(texts)}")
    return [int(text) for text in texts]
