"""Proof that this door does what the policy says: the planned probes, put to the door itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from enforcement import policy, probes
from enforcement.adapters.litellm.counting import Countable, Counting
from enforcement.adapters.litellm.passing import Passage
from enforcement.adapters.litellm.ruling import CLOSED, Law, RefusedError, state_of
from enforcement.agent.contents import judge_content, with_sample
from enforcement.agent.judging import Answer
from enforcement.filter.proof import answered
from enforcement.reading import OUTPUT_FIELDS
from enforcement.report import CorrectionReport, Probe

_SERVED = 200


class Probed(NamedTuple):
    """A probe that was let through, and the request as it would go on."""

    passage: Passage
    written: dict[str, Any]


Ask = Callable[[Law, probes.Plan, Counting], Coroutine[Any, Any, Probed]]
"""Put a probe to the door. Raises RefusedError."""


@dataclass
class Prover:
    """Runs the probes of every correction, in a thread of its own.

    :param refused: counts real refusals, for the report.
    :param counting: counts real requests; probes are counted apart.
    """

    ask: Ask
    refused: Mapping[str, int]
    counting: Counting

    def __call__(self, law: Law) -> dict[str, CorrectionReport]:
        """Report on every correction of a policy."""
        now = datetime.now(UTC)
        return {item.id: self._one(item, law, now) for item in law.signed.content.corrections}

    def _one(self, item: policy.Correction, law: Law, now: datetime) -> CorrectionReport:
        state = state_of(item, now)
        found = tuple(self._probes(item, law, now)) if state in {"in_force", "shadow"} else ()
        wrong = next((probe.detail for probe in found if not probe.ok), "")
        return CorrectionReport(
            state="failed" if wrong else state,
            verified=not wrong and state in {"in_force", "shadow"},
            checked_at=now,
            refused=self.refused.get(item.id, 0),
            detail=wrong or _closed(item, alone=self.counting.alone),
            probes=found,
        )

    def _probes(self, item: policy.Correction, law: Law, now: datetime) -> Iterator[Probe]:
        planned = probes.plan(
            item, law.signed.content, models=(), now=now, attachments=law.attachments, rules=law.rules
        )
        for each in planned:
            plan = with_sample(each, item, law.rules, law.attachments, now)
            status, wrong = asyncio.run(self._tried(plan, item, law))
            yield plan.shown(status, wrong)

    async def _tried(self, plan: probes.Plan, item: policy.Correction, law: Law) -> tuple[int, str]:
        """Ask once; where a limit counts, use it up first."""
        counting = Counting()
        if plan.expect == "limit":
            await _use_up(plan, law, counting)
        try:
            probed = await self.ask(law, plan, counting)
        except RefusedError as refused:
            return refused.status, _wrongly_refused(plan, law, refused)
        return _SERVED, _wrongly_served(plan, probed.written) or judge_content(plan, item, _answer(probed))


async def _use_up(plan: probes.Plan, law: Law, counting: Counting) -> None:
    for limit in plan.verdict.limits:
        effect = law.by_id[limit.correction].effect
        if isinstance(effect, Countable):
            most = effect.tokens if isinstance(effect, policy.TokenLimit) else effect.burst or effect.requests
            await counting.spend(limit, effect, most)


def _wrongly_refused(plan: probes.Plan, law: Law, refused: RefusedError) -> str:
    item = law.by_id.get(refused.correction)
    closed = item is not None and isinstance(item.effect, CLOSED | policy.InputFilter)
    if closed or plan.expect == "limit":
        return ""
    if plan.expect == "refuse" and refused.correction == plan.verdict.correction:
        return ""
    return f"refused by {refused.correction or 'the door'}, expected to {plan.expect}"


def _wrongly_served(plan: probes.Plan, written: Mapping[str, object]) -> str:
    if plan.expect in {"refuse", "limit"}:
        return f"served, expected to {plan.expect}"
    model = plan.verdict.reroute_to or plan.attributes.model
    if written.get("model") != model:
        return f"goes to {written.get('model')}, expected {model}"
    most, endpoint = plan.verdict.max_tokens, plan.attributes.endpoint
    asked = [written[name] for name in OUTPUT_FIELDS.get(endpoint, ()) if name in written]
    if (
        most is not None
        and endpoint in OUTPUT_FIELDS
        and not (asked and all(_at_most(each, most) for each in asked))
    ):
        return f"asks for {asked} tokens, expected at most {most}"
    return ""


def _answer(probed: Probed) -> Answer:
    """Give what a gateway would answer: what the model would be sent, and what would become of its answer."""
    passage, written = probed
    found = answered(written, passage.law.guards(passage.ruling), passage.findings)
    return Answer(
        status=_SERVED,
        correction=passage.headers.get("x-irapp-correction", ""),
        warning=passage.headers.get("x-irapp-warning", ""),
        policy="",
        flagged=frozenset(passage.told.flagged),
        shadow=frozenset(passage.told.shadow),
        body={"request": written, "answer": found},
    )


def _at_most(value: object, most: int) -> bool:
    return isinstance(value, int) and 0 < value <= most


def body_of(plan: probes.Plan) -> dict[str, object]:
    """Give the request of a probe."""
    body: dict[str, object] = json.loads(plan.body)
    return body


def _closed(item: policy.Correction, *, alone: bool) -> str:
    if item.mode == "enforce" and isinstance(item.effect, CLOSED):
        return "closed here: LiteLLM cannot enforce it, so whoever matches is refused"
    counted = alone and isinstance(item.effect, Countable)
    return "counted by this LiteLLM process alone" if counted else ""
