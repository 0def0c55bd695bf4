"""What Envoy asks, read from descriptors strictly: a limit that is misunderstood is a limit that is lost.

The limit itself travels in every question: this service needs no policy, and is never behind the gateway.
"""

from __future__ import annotations

from dataclasses import dataclass

from enforcement.ratelimit.rules import AskError, Rule, parse_rule
from enforcement.ratelimit.wire.ratelimit_pb2 import Descriptor

PROBE = "probe;"
"""How the subject of a probe begins; names hold no ``;``."""
MOST_PLACES = 1000
"""A probe that holds all places of a larger limit does so at this scale."""


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
