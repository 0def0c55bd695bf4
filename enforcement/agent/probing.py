"""Sending probes through the gateway and judging what comes back."""

from __future__ import annotations

import asyncio
import secrets
from typing import NamedTuple

import aiohttp
import msgspec

from enforcement import policy
from enforcement.asking import OUTPUT_FIELDS
from enforcement.decide import Attributes
from enforcement.envoy.gateway import Gateway, identity_line
from enforcement.probes import Plan
from enforcement.report import Probe

RETRIES = 100
RETRY_SECONDS = 0.01


class Answer(NamedTuple):
    """What the gateway answered. ``policy`` is the version that the deciding worker says it runs."""

    status: int
    correction: str
    policy: str
    body: dict[str, object]


class Prober:
    """Sends probes with the key that the agent made for itself at its start."""

    def __init__(self, session: aiohttp.ClientSession, gateway: Gateway) -> None:
        self._session = session
        self._key = gateway.probe_key
        host = "127.0.0.1" if gateway.host in ("0.0.0.0", "::") else gateway.host  # noqa: S104
        self._base = f"http://{host}:{gateway.port}"

    async def run(self, plan: Plan, correction: str, version: str) -> Probe:
        """Send one probe; a worker that has not taken up the version yet is asked again."""
        more = _limit_headers(plan, correction)
        try:
            answer = await self._current(plan, version, more)
            wrong = _judge(plan, answer)
            if plan.expect == "limit" and not wrong:
                answer = await self._ask(plan, more)
                wrong = _judge_limited(answer, correction)
        except (aiohttp.ClientError, TimeoutError) as error:
            return _probe(plan, 0, f"no answer: {error}")
        return _probe(plan, answer.status, wrong)

    async def _current(self, plan: Plan, version: str, more: dict[str, str]) -> Answer:
        for _ in range(RETRIES):
            answer = await self._ask(plan, more)
            if answer.policy == version:
                break
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
        url, body = self._base + policy.ENDPOINTS[plan.attributes.endpoint], plan.body
        async with self._session.post(url, data=body, headers=headers) as response:
            raw = await response.read()
            return Answer(
                response.status,
                response.headers.get("x-irapp-correction", ""),
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


def _judge(plan: Plan, answer: Answer) -> str:
    verdict = plan.verdict
    if answer.status != verdict.status:
        return f"expected {verdict.status}, got {answer.status}"
    if verdict.action == "refuse" and answer.correction != verdict.correction:
        return f"refused by {answer.correction or 'nothing'} instead of {verdict.correction}"
    if plan.expect in ("cap", "reroute"):
        return _judge_rewritten(plan, answer)
    return ""


def _judge_rewritten(plan: Plan, answer: Answer) -> str:
    verdict, sent = plan.verdict, answer.body.get("request")
    if not isinstance(sent, dict):
        return "the content filter did not answer"
    if sent.get("model") != (verdict.reroute_to or plan.attributes.model):
        return f"the model would be {sent.get('model')!r}"
    tokens = [value for name, value in sent.items() if name in OUTPUT_FIELDS.values()]
    capped = verdict.max_tokens is None or plan.attributes.endpoint == "embeddings"
    if not capped and (not tokens or max(tokens) > (verdict.max_tokens or 0)):
        return f"the output would be {max(tokens, default=None)} tokens"
    return ""


def _judge_limited(answer: Answer, correction: str) -> str:
    if answer.status != 429 or answer.correction != correction:  # noqa: PLR2004
        return f"expected 429 after the last allowed request, got {answer.status}"
    return ""


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
