"""Proving limits: as a subject that nobody else is, spend all that one may, and see that more is refused."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable

from enforcement import policy
from enforcement.agent.judging import Answer, judge_limited
from enforcement.probes import Plan
from enforcement.report import Basis

Ask = Callable[[dict[str, str]], Awaitable[Answer]]
"""Sends the request of a plan with these headers more."""

TRIES = 40
TRY_SECONDS = 0.05
OK = 200


def spending(plan: Plan, correction: str) -> dict[str, str]:
    """Give the headers that spend a whole window at once, for a subject made up for this probe."""
    if plan.expect != "limit":
        return {}
    return {
        "irapp-probe-id": secrets.token_hex(8),
        "irapp-probe-limit": correction,
        "irapp-probe-hits": str(plan.limit),
    }


async def judge_spent(
    ask: Ask, correction: policy.Correction, spent: dict[str, str], basis: Basis
) -> tuple[int, str]:
    """Ask for more than a limit allows; give the last status, and what was wrong."""
    match correction.effect:
        case policy.TokenLimit():
            answer = await _until(ask, spent, 429)
        case policy.ConcurrencyLimit():
            answer = await _until(ask, spent, OK)  # the place of the one before is free again
            if answer.status != OK:
                return answer.status, f"a place is not given back: got {answer.status}"
            one_more = str(int(spent["irapp-probe-hits"]) + 1)
            answer = await ask({**spent, "irapp-probe-hits": one_more})
        case _:
            answer = await _requests(ask, spent, correction.id, basis)
    return answer.status, judge_limited(answer, correction.id)


async def _requests(ask: Ask, spent: dict[str, str], correction: str, basis: Basis) -> Answer:
    """See that this gateway refuses, and that the count over all gateways does where there is one."""
    answer = await ask(spent)
    if basis != "global" or judge_limited(answer, correction):
        return answer
    return await ask({**spent, "irapp-probe-floor": "0"})


async def _until(ask: Ask, spent: dict[str, str], status: int) -> Answer:
    """Ask until the answer is the expected one: what was used is counted just after its answer."""
    for _ in range(TRIES):
        answer = await ask(spent)
        if answer.status == status:
            break
        await asyncio.sleep(TRY_SECONDS)
    return answer
