"""Which corrections end an answer that is running."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from enforcement import policy
from enforcement.decide import Attachments, Attributes, decide, in_force, in_grace, matches


class Policy(Protocol):
    """A policy made ready: what may end a stream, and what spares from it."""

    @property
    def ending(self) -> Sequence[policy.Correction]:
        """Give the corrections that end streams."""

    @property
    def exemptions(self) -> Sequence[policy.Correction]:
        """Give the exemptions."""

    @property
    def attached(self) -> Attachments:
        """Give its lists."""


def ends_streams(item: policy.Correction) -> bool:
    """Tell whether a correction ends what is running when it comes."""
    if item.mode != "enforce" or isinstance(item.effect, policy.Exempt):
        return False
    return isinstance(item.effect, policy.Halt) or item.running_streams == "end"


def next_change(corrections: Sequence[policy.Correction], now: datetime) -> datetime | None:
    """Give when the clock alone will change something."""
    moments = [
        moment
        for item in corrections
        for moment in (item.starts_at, item.expires_at, item.grace_until)
        if moment is not None and moment > now
    ]
    return min(moments, default=None)


def ending(ready: Policy, attributes: Sequence[Attributes], moment: datetime) -> Iterator[policy.Correction]:
    """Give the corrections that would end an answer at a moment."""
    for item in ready.ending:
        binds = in_force(item, moment) and not in_grace(item, moment)
        if binds and any(_reaches(item, each, ready, moment) for each in attributes):
            yield item


def _reaches(item: policy.Correction, attributes: Attributes, ready: Policy, moment: datetime) -> bool:
    """Tell whether it does something to the request: a switched-off tool needs the tool.

    A list that is not at hand could name anybody, so it names everybody.
    """
    try:
        return _matches(item, attributes, ready, moment)
    except policy.PolicyError:
        return True


def _matches(item: policy.Correction, attributes: Attributes, ready: Policy, moment: datetime) -> bool:
    if not matches(item, attributes, ready.attached) or _spared(item, attributes, ready, moment):
        return False
    if isinstance(item.effect, policy.Shutdown) or not isinstance(item.effect, policy.GRACEFUL):
        return True
    alone = policy.Content(corrections=(item,))
    return decide(attributes, alone, now=moment, attachments=ready.attached).action == "refuse"


def _spared(item: policy.Correction, attributes: Attributes, ready: Policy, moment: datetime) -> bool:
    return any(
        item.reference in each.effect.corrections  # type: ignore[union-attr]
        and in_force(each, moment)
        and matches(each, attributes, ready.attached)
        for each in ready.exemptions
    )
