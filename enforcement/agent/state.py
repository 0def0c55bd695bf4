"""What the agent knows and reports. One place, so that a report is never half old and half new."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from enforcement import policy
from enforcement.agent import VERSION
from enforcement.report import (
    Basis,
    CorrectionReport,
    EnvoyReport,
    GatewayReport,
    LiftedReport,
    PolicyRef,
    Problem,
)

KEPT_LIFTED, KEPT_IN_FULL = 200, 10
"""So many removed corrections are reported, and so many of them with the probes that showed them gone."""


class State:
    """The observed state of one gateway. ``changed`` is set whenever somebody should hear of it."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self._problems: dict[str, str] = {}
        self._over_at: dict[str, float] = {}
        self.acknowledged: policy.Policy | None = None
        self.envoy = EnvoyReport()
        self.corrections: dict[str, CorrectionReport] = {}
        self.lifted: dict[str, LiftedReport] = {}
        self.refused: dict[str, int] = {}
        self.limits: dict[str, Basis] = {}
        self.changed = asyncio.Event()

    def problem(self, code: str, detail: str) -> None:
        """Note a problem until it is solved."""
        if self._problems.get(code) != detail:
            self._problems[code] = detail
            self.changed.set()

    def solved(self, code: str) -> None:
        """Strike a problem out."""
        if self._problems.pop(code, None) is not None:
            self.changed.set()

    def news(self, code: str, detail: str, *, seconds: float) -> None:
        """Note a problem that nobody can solve any longer: it is told for so long."""
        self._over_at[code] = time.monotonic() + seconds
        self.problem(code, detail)

    def note_lifted(self, correction: str, found: LiftedReport) -> None:
        """Note what the probes of a removed correction found; of the oldest forget those, then all."""
        self.lifted.pop(correction, None)
        self.lifted[correction] = found
        while len(self.lifted) > KEPT_LIFTED:
            del self.lifted[next(iter(self.lifted))]
        for name in list(self.lifted)[:-KEPT_IN_FULL]:
            if self.lifted[name].verified:  # of the others the probes say what is wrong
                self.lifted[name] = LiftedReport(verified=True)

    def report(self) -> GatewayReport:
        """Give the report of this moment."""
        self._forget_old_news()
        known = self.acknowledged
        return GatewayReport(
            gateway=self._gateway,
            agent_version=VERSION,
            reported_at=datetime.now(UTC),
            policy=PolicyRef(version=known.version, digest=known.digest) if known else None,
            envoy=self.envoy,
            corrections=dict(self.corrections),
            lifted=dict(self.lifted),
            limits=dict(self.limits),
            problems=tuple(
                Problem(code=code, detail=detail) for code, detail in sorted(self._problems.items())
            ),
        )

    def _forget_old_news(self) -> None:
        now = time.monotonic()
        for code in [code for code, over_at in self._over_at.items() if now >= over_at]:
            del self._over_at[code]
            self._problems.pop(code, None)
