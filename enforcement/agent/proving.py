"""Proving, correction by correction, that what the policy says is what the gateway does.

What is new or went wrong is proven on every endpoint. What has been proven is proven again on one endpoint
after the other: after every change, and each within a minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from math import ceil

import msgspec

from enforcement import policy
from enforcement.agent.attachments import Attachments
from enforcement.agent.contents import with_sample
from enforcement.agent.probing import Prober
from enforcement.agent.state import State
from enforcement.agent.waiting import until_set
from enforcement.decide import Rules, in_force, lifts_at
from enforcement.envoy import render
from enforcement.probes import Plan, plan
from enforcement.report import CorrectionReport, LiftedReport, Probe
from enforcement.report import State as CorrectionState

AGAIN_SECONDS = 5.0
UNPROVEN_AGAIN_SECONDS = 1.0
ROUND_SECONDS = 50.0
"""Within so long everything is proven again, however much it is."""
BREATH_SECONDS = 0.005
"""For the report of what was just proven, which would come after a dozen more probes otherwise."""
SLICE = 20
AT_ONCE = 6


class _Round:
    """One policy at one time: what has to be asked, and what must come back."""

    def __init__(self, signed: policy.Policy, attachments: Attachments, models: tuple[str, ...]) -> None:
        self.content, self.version = signed.content, render.version_of(signed)
        self._over = False
        self._attachments, self._models = attachments, models
        self._rules: Rules | None = None
        self._plans: dict[str, list[Plan]] = {}

    def overtaken(self) -> bool:
        """Tell whether there is something newer to prove."""
        return self._over

    def end(self) -> None:
        """Let it be overtaken."""
        self._over = True

    def plans(self, item: policy.Correction) -> list[Plan]:
        """Plan the probes of a correction, once.

        :raises PolicyError: a list that the policy names is not at hand.
        """
        if item.id not in self._plans:
            self._plans[item.id] = self._planned(item, datetime.now(UTC))
        return self._plans[item.id]

    def _planned(self, item: policy.Correction, now: datetime) -> list[Plan]:
        attached = self._attachments
        rules = self._rules = self._rules or Rules(self.content, attached)
        found = plan(item, self.content, models=self._models, now=now, attachments=attached, rules=rules)
        return [with_sample(each, item, rules, attached, now) for each in found]


class Prover:
    """Probes after every change, and a slice of the corrections again every few seconds."""

    prober: Prober

    def __init__(self, state: State, attachments: Attachments) -> None:
        self._state, self._attachments = state, attachments
        self.models: tuple[str, ...] = ()
        self._wanted = asyncio.Event()
        self._signed: policy.Policy | None = None
        self._round: _Round | None = None
        self._turns: dict[str, int] = {}
        self._removed: dict[str, policy.Correction] = {}

    def expect(self, signed: policy.Policy | None, before: policy.Content | None) -> None:
        """Take note of a new policy: what changed is unproven until the probes have passed."""
        now, self._signed = datetime.now(UTC), signed
        current = {item.id: item for item in (signed.content.corrections if signed else ())}
        old = {item.id: item for item in (before.corrections if before else ())}
        self._note_removed({name: item for name, item in old.items() if name not in current}, current)
        reports = self._state.corrections
        for name in [name for name in reports if name not in current]:
            del reports[name]
        for name, item in current.items():
            if old.get(name) != item or name not in reports:
                reports[name] = _unproven(item, now)
        self.again()

    def again(self) -> None:
        """Ask for everything again, since time, the policy or the gateway changed something."""
        signed = self._signed
        if self._round is not None:
            self._round.end()
        self._round = _Round(signed, self._attachments, self.models) if signed else None
        self._wanted.set()

    async def run(self) -> None:
        """Prove for ever."""
        while True:
            full = await until_set(self._wanted, self._pause())
            self._wanted.clear()
            if self._round is not None:
                await self._go_round(self._round, full=full)

    def _note_removed(
        self, removed: dict[str, policy.Correction], current: dict[str, policy.Correction]
    ) -> None:
        self._removed |= removed
        for name in removed:  # gone by the document; the probes have still to show it
            self._state.note_lifted(name, LiftedReport(verified=False))
        for name in current:
            self._removed.pop(name, None)
            self._state.lifted.pop(name, None)

    def _pause(self) -> float:
        reports = self._state.corrections.values()
        failed = any(found.state == "failed" for found in reports)
        return UNPROVEN_AGAIN_SECONDS if failed or self._removed else AGAIN_SECONDS

    @property
    def needed(self) -> frozenset[str]:
        """The attachments of removed corrections that have still to be shown as gone."""
        return frozenset[str]().union(*(policy.named_by(item) for item in self._removed.values()))

    async def _go_round(self, this: _Round, *, full: bool) -> None:
        """Prove what is new, then what was removed, then what was proven before."""
        unproven, proven = self._sorted(this.content)
        size = max(SLICE, ceil(len(this.content.corrections) * AGAIN_SECONDS / ROUND_SECONDS))
        await self._prove_all(unproven, this)
        if self._state.changed.is_set():
            await asyncio.sleep(BREATH_SECONDS)
        await self._prove_removed(this)
        await self._prove_all(proven if full else proven[:size], this)
        self._state.changed.set()

    async def _prove_all(self, items: Iterable[policy.Correction], this: _Round) -> None:
        """Prove one after the other, unless something more urgent has come up."""
        for item in items:
            if this.overtaken():
                return
            await self._prove(item, this)

    async def _prove_removed(self, this: _Round) -> None:
        for name, item in list(self._removed.items()):
            try:
                probes = await self._send(this.plans(item), item, this)
            except policy.PolicyError:  # its list is lost just now; it is being fetched
                continue
            if this.overtaken():
                return
            self._state.note_lifted(name, LiftedReport(verified=_all(probes), probes=probes))
            if _all(probes):
                self._removed.pop(name, None)
                self._state.changed.set()

    def _sorted(self, content: policy.Content) -> tuple[list[policy.Correction], list[policy.Correction]]:
        """Give the unproven and the proven ones, those first whose proof is the oldest."""
        reports = self._state.corrections
        every = sorted(content.corrections, key=lambda item: reports[item.id].checked_at)
        unproven = [item for item in every if self._is_unproven(item)]
        return unproven, [item for item in every if not self._is_unproven(item)]

    def _is_unproven(self, item: policy.Correction) -> bool:
        """Tell whether it has to be shown on every endpoint."""
        found = self._state.corrections[item.id]
        return not _all(found.probes) or found.state != _state_of(item, datetime.now(UTC))

    async def _prove(self, item: policy.Correction, this: _Round) -> None:
        before, wrong = self._state.corrections[item.id], ""
        try:
            probes = await self._probed(item, this, before)
        except policy.PolicyError as error:  # a list is lost just now; it is being fetched
            probes, wrong = (), str(error)
        if this.overtaken():
            return
        found = _observed(item, probes, wrong, refused=self._state.refused.get(item.id, 0))
        self._state.corrections[item.id] = found
        if (before.state, before.verified) != (found.state, found.verified):
            self._state.changed.set()

    async def _probed(
        self, item: policy.Correction, this: _Round, before: CorrectionReport
    ) -> tuple[Probe, ...]:
        plans = this.plans(item)
        if self._is_unproven(item):
            return await self._send(plans, item, this)
        fresh = await self._send(self._next_endpoint(item, plans), item, this)
        endpoints = {probe.endpoint for probe in fresh}
        return tuple(probe for probe in before.probes if probe.endpoint not in endpoints) + fresh

    def _next_endpoint(self, item: policy.Correction, plans: list[Plan]) -> list[Plan]:
        endpoints = sorted({planned.attributes.endpoint for planned in plans})
        turn = self._turns[item.id] = self._turns.get(item.id, -1) + 1
        return [one for one in plans if one.attributes.endpoint == endpoints[turn % len(endpoints)]]

    async def _send(self, plans: list[Plan], item: policy.Correction, this: _Round) -> tuple[Probe, ...]:
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(planned: Plan) -> Probe:
            async with slots:
                basis = self._state.limits.get(item.id, "gateway")
                return await self.prober.run(planned, item, this, basis)

        return tuple(await asyncio.gather(*(one(planned) for planned in plans)))


def with_counts(reports: dict[str, CorrectionReport], refused: dict[str, int]) -> dict[str, CorrectionReport]:
    """Give the reports with the newest counts of refused requests."""
    return {
        name: msgspec.structs.replace(found, refused=refused.get(name, 0)) for name, found in reports.items()
    }


def _observed(
    item: policy.Correction, probes: tuple[Probe, ...], wrong: str, *, refused: int
) -> CorrectionReport:
    now = datetime.now(UTC)
    state = _state_of(item, now)
    wrong = wrong or next((probe.detail for probe in probes if not probe.ok), "")
    return CorrectionReport(
        state="failed" if wrong and state != "scheduled" else state,
        verified=_all(probes) and state != "scheduled",
        checked_at=now,
        refused=refused,
        detail=wrong,
        probes=probes,
    )


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
