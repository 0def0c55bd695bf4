"""Sending probes through the gateway."""

from __future__ import annotations

import asyncio
import secrets

import aiohttp
import msgspec

from enforcement import policy
from enforcement.agent.judging import Answer, judge, judge_limited
from enforcement.decide import Attributes
from enforcement.envoy.gateway import Gateway, identity_line
from enforcement.probes import Plan
from enforcement.report import Probe

RETRIES = 100
RETRY_SECONDS = 0.01


class Prober:
    """Sends probes with the key that the agent made for itself at its start."""

    def __init__(self, session: aiohttp.ClientSession, gateway: Gateway) -> None:
        self._session = session
        self._key = gateway.probe_key
        host = "127.0.0.1" if gateway.host in ("0.0.0.0", "::") else gateway.host  # noqa: S104
        self._base = f"http://{host}:{gateway.port}"

    async def run(self, plan: Plan, correction: policy.Correction, version: str) -> Probe:
        """Send one probe; a worker that has not taken up the version yet is asked again."""
        more = _limit_headers(plan, correction.id)
        try:
            answer = await self._current(plan, version, more)
            wrong = judge(plan, answer)
            if plan.expect == "limit" and not wrong:
                answer = await self._ask(plan, more)
                wrong = judge_limited(answer, correction.id)
        except (aiohttp.ClientError, TimeoutError) as error:
            return _probe(plan, 0, f"no answer: {error or type(error).__name__}")
        return _probe(plan, answer.status, wrong)

    async def _current(self, plan: Plan, version: str, more: dict[str, str]) -> Answer:
        for _ in range(RETRIES):
            answer = await self._ask(plan, more)
            if answer.policy == version:
                return answer
            await asyncio.sleep(RETRY_SECONDS)
            more = {**more, "irapp-probe-id": secrets.token_hex(8)} if more else more
        return answer

    async def _ask(self, plan: Plan, more: dict[str, str]) -> Answer:
        headers = {
            "authorization": f"Bearer {self._key}",
            "content-type": "application/json",
            "irapp-probe": _line(plan.attributes),
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
                _object(raw),
            )


def _line(attributes: Attributes) -> str:
    return identity_line(
        attributes.user,
        attributes.organisation,
        attributes.key,
        attributes.application,
        attributes.use_case,
    )


def _limit_headers(plan: Plan, correction: str) -> dict[str, str]:
    """Spend a whole window at once, as a subject that nobody else is."""
    if plan.expect != "limit":
        return {}
    return {
        "irapp-probe-id": secrets.token_hex(8),
        "irapp-probe-limit": correction,
        "irapp-probe-hits": str(plan.limit),
    }


def _probe(plan: Plan, status: int, wrong: str) -> Probe:
    return Probe(
        endpoint=plan.attributes.endpoint,
        expect=plan.expect,
        subject=plan.subject,
        status=status,
        ok=not wrong,
        detail=wrong,
    )


def _object(raw: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(raw, type=dict[str, object])
    except msgspec.DecodeError:
        return {}
