"""Proving, correction by correction, that what the policy says is what the gateway does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from enforcement import policy
from enforcement.agent.probing import Prober
from enforcement.agent.state import State
from enforcement.agent.waiting import until_set
from enforcement.decide import in_force, lifts_at
from enforcement.envoy import render
from enforcement.probes import Plan, plan
from enforcement.report import CorrectionReport, LiftedReport, Probe
from enforcement.report import State as CorrectionState

AGAIN_SECONDS = 15.0
UNPROVEN_AGAIN_SECONDS = 1.0
AT_ONCE = 6
SLICE = 50


class Prover:
    """Probes after every change, and a slice of the corrections again every few seconds."""

    prober: Prober

    def __init__(self, state: State, models: tuple[str, ...]) -> None:
        self._state, self.models = state, models
        self._wanted = asyncio.Event()
        self._turn = 0
        self._signed: policy.Policy | None = None
        self._removed: dict[str, policy.Correction] = {}

    def expect(self, signed: policy.Policy | None, before: policy.Content | None) -> None:
        """Take note of a new policy: what changed is unproven until the probes have passed."""
        now, self._signed = datetime.now(UTC), signed
        current = {item.id: item for item in (signed.content.corrections if signed else ())}
        old = {item.id: item for item in (before.corrections if before else ())}
        removed = {name: item for name, item in old.items() if name not in current}
        self._removed |= removed
        for name in removed:  # gone by the document; the probes have still to show it
            self._state.note_lifted(name, LiftedReport(verified=False))
        for name in current:
            self._removed.pop(name, None)
            self._state.lifted.pop(name, None)
        for name in [name for name in self._state.corrections if name not in current]:
            del self._state.corrections[name]
        for name, item in current.items():
            if old.get(name) != item or name not in self._state.corrections:
                self._state.corrections[name] = _unproven(item, now)
        self._wanted.set()

    def again(self) -> None:
        """Ask for a full round, since time or the gateway changed something."""
        self._wanted.set()

    async def run(self) -> None:
        """Prove for ever."""
        while True:
            full = await until_set(self._wanted, self._pause())
            self._wanted.clear()
            await self._round(full=full)

    def _pause(self) -> float:
        reports = self._state.corrections.values()
        failed = any(found.state == "failed" for found in reports)
        return UNPROVEN_AGAIN_SECONDS if failed or self._removed else AGAIN_SECONDS

    async def _round(self, *, full: bool) -> None:
        signed = self._signed
        if signed is None:
            return
        for name, item in list(self._removed.items()):
            probes = await self._send(item, signed)
            if self._signed is not signed:
                return  # a newer policy came meanwhile: it has a round of its own
            self._state.note_lifted(name, LiftedReport(verified=_all(probes), probes=probes))
            if _all(probes):
                self._removed.pop(name, None)
        for item in self._chosen(signed.content, full=full):
            await self._prove(item, signed)
            if self._wanted.is_set():
                return
        self._state.changed.set()

    def _chosen(self, content: policy.Content, *, full: bool) -> Iterable[policy.Correction]:
        """Give the unproven first and then the others; between changes only the next slice."""
        every = content.corrections
        if full or len(every) <= SLICE:
            return sorted(every, key=lambda item: self._state.corrections[item.id].verified)
        start = self._turn = (self._turn + SLICE) % len(every)
        return (*every, *every)[start : start + SLICE]

    async def _prove(self, item: policy.Correction, signed: policy.Policy) -> None:
        now = datetime.now(UTC)
        probes = await self._send(item, signed)
        if self._signed is not signed:
            return
        state = _state_of(item, now)
        before = self._state.corrections.get(item.id)
        failed = [probe for probe in probes if not probe.ok]
        found = CorrectionReport(
            state="failed" if failed and state != "scheduled" else state,
            verified=_all(probes) and state != "scheduled",
            checked_at=now,
            refused=self._state.refused.get(item.id, 0),
            detail=failed[0].detail if failed else "",
            probes=probes,
        )
        self._state.corrections[item.id] = found
        if before is None or (before.state, before.verified) != (found.state, found.verified):
            self._state.changed.set()

    async def _send(self, item: policy.Correction, signed: policy.Policy) -> tuple[Probe, ...]:
        plans = plan(item, signed.content, models=self.models, now=datetime.now(UTC))
        slots, version = asyncio.Semaphore(AT_ONCE), render.version_of(signed)

        async def one(planned: Plan) -> Probe:
            async with slots:
                return await self.prober.run(planned, item.id, version)

        return tuple(await asyncio.gather(*(one(planned) for planned in plans)))


def with_counts(reports: dict[str, CorrectionReport], refused: dict[str, int]) -> dict[str, CorrectionReport]:
    """Give the reports with the newest counts of refused requests."""
    return {
        name: msgspec.structs.replace(found, refused=refused.get(name, 0)) for name, found in reports.items()
    }


def _unproven(item: policy.Correction, now: datetime) -> CorrectionReport:
    return CorrectionReport(state=_state_of(item, now), verified=False, checked_at=now)


def _state_of(item: policy.Correction, now: datetime) -> CorrectionState:
    end = lifts_at(item)
    if end is not None and now >= end:
        return "expired"
    if not in_force(item, now):
        return "scheduled"
    return "shadow" if item.mode == "shadow" else "in_force"


def _all(probes: tuple[Probe, ...]) -> bool:
    return bool(probes) and all(probe.ok for probe in probes)
