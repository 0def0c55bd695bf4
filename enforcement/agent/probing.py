"""Sending probes through the gateway."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import count
from typing import Protocol

import aiohttp
import msgspec

from enforcement import policy
from enforcement.agent.contents import judge_content
from enforcement.agent.judging import Answer
from enforcement.agent.spending import judge_spent, spending
from enforcement.envoy.gateway import Gateway, line_of
from enforcement.probes import Plan
from enforcement.report import Basis, Probe

RETRIES = 100
SILENT_RETRIES = 10
"""For answers that name no policy: Envoy's own, when what is behind it is away."""
RETRY_SECONDS = 0.01


class Wanted(Protocol):
    """The policy that is to be proven."""

    version: str

    def overtaken(self) -> bool:
        """Tell whether a newer one has come, so that nobody waits for answers any longer."""


class Prober:
    """Sends probes with the key that the agent made for itself at its start."""

    def __init__(self, session: aiohttp.ClientSession, gateway: Gateway) -> None:
        self._session = session
        self._key = gateway.probe_key
        host = "127.0.0.1" if gateway.host in ("0.0.0.0", "::") else gateway.host  # noqa: S104
        self._base = f"http://{host}:{gateway.port}"

    async def run(
        self, plan: Plan, correction: policy.Correction, wanted: Wanted, basis: Basis = "gateway"
    ) -> Probe:
        """Send one probe; a worker that has not taken up the version yet is asked again.

        :param basis: what a limit counts by at this moment.
        """
        try:
            answer, spent = await self._current(plan, correction, wanted)
            wrong = _by_another(answer, wanted) or judge_content(plan, correction, answer)
            status = answer.status
            if plan.expect == "limit" and not wrong:
                status, wrong = await judge_spent(partial(self._ask, plan), correction, spent, basis)
        except (aiohttp.ClientError, TimeoutError) as error:
            return plan.shown(0, f"no answer: {error or type(error).__name__}")
        return plan.shown(status, wrong)

    async def _current(
        self, plan: Plan, correction: policy.Correction, wanted: Wanted
    ) -> tuple[Answer, dict[str, str]]:
        for tries in count(1):
            spent = spending(plan, correction.id)
            answer = await self._ask(plan, spent)
            most = RETRIES if answer.policy else SILENT_RETRIES
            if answer.policy == wanted.version or wanted.overtaken() or tries >= most:
                break
            await asyncio.sleep(RETRY_SECONDS)
        return answer, spent

    async def _ask(self, plan: Plan, more: dict[str, str]) -> Answer:
        headers = {
            "authorization": f"Bearer {self._key}",
            "content-type": "application/json",
            "irapp-probe": line_of(plan.attributes),
            **more,
        }
        url = self._base + policy.ENDPOINTS[plan.attributes.endpoint]
        async with self._session.post(url, data=plan.body, headers=headers) as response:
            raw = await response.read()
            return Answer(
                response.status,
                response.headers.get("x-irapp-correction", ""),
                response.headers.get("x-irapp-warning", ""),
                response.headers.get("x-irapp-policy", ""),
                _named(response.headers.get("x-irapp-flagged", "")),
                _named(response.headers.get("x-irapp-shadow", "")),
                _object(raw),
            )


def _by_another(answer: Answer, wanted: Wanted) -> str:
    """Tell of a worker that has stayed behind: what it lets pass shows nothing of a dry run."""
    if answer.policy in ("", wanted.version) or wanted.overtaken():
        return ""
    return f"decided by another policy: {answer.policy}"


def _named(header: str) -> frozenset[str]:
    return frozenset(name.strip() for name in header.split(",")) - {""}


def _object(raw: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(raw, type=dict[str, object])
    except msgspec.DecodeError:
        return {}
