"""What a gateway reports back: acknowledgement, read-back, probes and traffic attributes.

Spoken by the agent (sends), the hub (keeps) and the application (reads). Attributes only: no prompt and no
answer ever passes through these structs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

State: TypeAlias = Literal["in_force", "scheduled", "expired", "shadow", "failed"]
Expect: TypeAlias = Literal["refuse", "pass", "limit", "cap", "reroute"]
Subject: TypeAlias = Literal["inside", "beside"]


class _Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class PolicyRef(_Report, frozen=True, kw_only=True):
    """Which policy: the version that fences and the digest of its content."""

    version: int
    digest: str


class Probe(_Report, frozen=True, kw_only=True):
    """One request sent through the gateway by a synthetic identity, and whether it came out right."""

    endpoint: str
    expect: Expect
    subject: Subject
    status: int
    ok: bool
    detail: str = ""


class CorrectionReport(_Report, frozen=True, kw_only=True):
    """One correction as this gateway observes it."""

    state: State
    verified: bool
    checked_at: datetime
    refused: int = 0
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
    rejected: int = 0
    error: str = ""


class Problem(_Report, frozen=True, kw_only=True):
    """Something an operator should know. ``code`` is stable, ``detail`` is for people."""

    code: str
    detail: str


class GatewayReport(_Report, frozen=True, kw_only=True):
    """Everything a gateway says about itself: on every change, and at least every two seconds."""

    gateway: str
    agent_version: str
    reported_at: datetime
    policy: PolicyRef | None = None
    envoy: EnvoyReport = EnvoyReport()
    corrections: dict[str, CorrectionReport] = {}
    lifted: dict[str, LiftedReport] = {}
    problems: tuple[Problem, ...] = ()


class TrafficRecord(_Report, frozen=True, kw_only=True):
    """The attributes of one request and what became of it."""

    at: datetime
    gateway: str
    user: str
    organisation: str
    key: str
    application: str
    use_case: str
    endpoint: str
    model: str
    tools: tuple[str, ...] = ()
    stream: bool = False
    max_tokens: int | None = None
    status: int
    correction: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


class TrafficBatch(_Report, frozen=True, kw_only=True):
    """The body of ``POST /v1/traffic``."""

    gateway: str
    records: tuple[TrafficRecord, ...]


for _first in (GatewayReport, TrafficBatch):
    msgspec.json.Decoder(_first)  # before any thread does: see enforcement.policy
