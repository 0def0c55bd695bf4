"""What a gateway reports back: acknowledgement, read-back, probes and traffic attributes.

Spoken by the agent (sends), the hub (keeps) and the application (reads). Attributes only: no prompt and no
answer ever passes through these structs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

State: TypeAlias = Literal["in_force", "scheduled", "expired", "shadow", "failed"]
Expect: TypeAlias = Literal["refuse", "pass", "warn", "limit", "cap", "reroute", "content"]
Basis: TypeAlias = Literal["global", "gateway", "closed"]
"""What a limit counts by: all gateways together, this gateway alone, or nothing, so that it refuses."""
Subject: TypeAlias = Literal["inside", "beside"]
BIGGEST: Final = 2**53 - 1
"""What every reader of JSON holds exactly, and every database."""
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=BIGGEST)]
Weight: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Status: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=999)]
Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
Digest: TypeAlias = Annotated[str, msgspec.Meta(max_length=71, pattern="^[!-~]*$")]
GatewayName: TypeAlias = Annotated[str, msgspec.Meta(max_length=200, pattern="^[^\\u0000]*$")]
Log: TypeAlias = Annotated[str, msgspec.Meta(max_length=64, pattern="^[!-~]*$")]


class _Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class PolicyRef(_Report, frozen=True, kw_only=True):
    """Which policy: the version that fences and the digest of its content."""

    version: Count
    digest: Digest


class Probe(_Report, frozen=True, kw_only=True):
    """One request sent through the gateway by a synthetic identity, and whether it came out right."""

    endpoint: str
    expect: Expect
    subject: Subject
    status: Status
    ok: bool
    detail: str = ""


class CorrectionReport(_Report, frozen=True, kw_only=True):
    """One correction as this gateway observes it."""

    state: State
    verified: bool
    checked_at: Moment
    refused: Count = 0
    detail: str = ""
    probes: tuple[Probe, ...] = ()


class LiftedReport(_Report, frozen=True, kw_only=True):
    """A correction that the newest policy removed: who was refused must pass again."""

    verified: bool
    probes: tuple[Probe, ...] = ()


class EnvoyReport(_Report, frozen=True, kw_only=True):
    """Envoy's own word: the version it runs, whether it answers, what it rejected and why."""

    version: str = ""
    live: bool = False
    rejected: Count = 0
    error: str = ""


class Problem(_Report, frozen=True, kw_only=True):
    """Something an operator should know. ``code`` is stable, ``detail`` is for people."""

    code: str
    detail: str


class GatewayReport(_Report, frozen=True, kw_only=True):
    """Everything a gateway says about itself: on every change, and at least every two seconds."""

    gateway: GatewayName
    agent_version: str
    reported_at: Moment
    policy: PolicyRef | None = None
    envoy: EnvoyReport = EnvoyReport()
    corrections: dict[str, CorrectionReport] = {}
    lifted: dict[str, LiftedReport] = {}
    limits: dict[str, Basis] = {}
    problems: tuple[Problem, ...] = ()


class TrafficRecord(_Report, frozen=True, kw_only=True):
    """The attributes of one request and what became of it.

    :param correction: the one that refused it, or that changed it (with status 200).
    :param shadow: dry runs that would have refused or changed it.
    :param warned: corrections that let it pass in their grace period.
    :param flagged: corrections that found something in its content and were told to flag it only.
    :param policy: the version that decided.
    :param weight: how many requests it stands for; 0 where another record already stands for the request, and
        this one tells what a content filter did to it. An answer that was withheld has status 403 here.
    :param log: which counting ``seq`` belongs to; a new one only where the gateway lost the old.
    :param seq: the number of the record in that log, so that nothing is counted twice.
    """

    at: Moment
    gateway: GatewayName
    user: str
    organisation: str
    key: str
    application: str
    use_case: str
    endpoint: str
    model: str
    region: str = ""
    tier: str = ""
    platform: str = ""
    tools: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    stream: bool = False
    max_tokens: int | None = None
    body_bytes: int | None = None
    status: Status
    correction: str | None = None
    shadow: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    flagged: tuple[str, ...] = ()
    policy: Count | None = None
    weight: Weight = 1
    log: Log = ""
    seq: Count | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


class TrafficBatch(_Report, frozen=True, kw_only=True):
    """The body of ``POST /v1/traffic``."""

    gateway: GatewayName
    records: tuple[TrafficRecord, ...]


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A record that is no record: its place in the batch, counted from zero, and what is wrong with it."""

    place: Count
    field: str
    reason: str


class TrafficTaken(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a batch of which something was left out.

    What is left out now would be left out whenever it came again: whoever handed it in goes on behind it.

    :param examples: the first few that were left out.
    """

    taken: Count
    left_out: Count
    examples: tuple[LeftOut, ...] = ()


for _first in (GatewayReport, TrafficBatch, TrafficTaken):
    msgspec.json.Decoder(_first)  # before any thread does: see enforcement.policy
