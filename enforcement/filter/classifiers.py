"""Classifiers of others, asked over HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import aiohttp
import msgspec
import structlog

from enforcement import policy
from enforcement.filter.guards import BlockedError, Findings
from enforcement.filter.policy_file import Watched

log = structlog.get_logger()


class Registered(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a classifier is, and the file of the token that it wants."""

    url: Annotated[str, msgspec.Meta(pattern=r"^https?://")]
    token_file: str = ""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked."""

    text: str
    where: str
    model: str
    endpoint: str


class _Reply(msgspec.Struct):
    score: Annotated[float, msgspec.Meta(ge=0, le=1)]


class NoScoreError(Exception):
    """The classifier is unknown, late, or does not make sense."""


class Classifiers:
    """The registered classifiers."""

    def __init__(self, file: Path | None) -> None:
        self._file = Watched(file, dict[str, Registered]) if file else None

    async def check(
        self,
        session: aiohttp.ClientSession,
        corrections: list[policy.Correction],
        question: Question,
        findings: Findings,
    ) -> None:
        """Ask what the corrections want asked, all at once.

        :raises BlockedError: a score is too high, or there is none and the correction wants it refused.
        """
        judged = await asyncio.gather(*(self._judge(session, item, question) for item in corrections))
        for item, (acts, blocks) in zip(corrections, judged, strict=True):
            if acts:
                findings.note(item, "blocked" if blocks else "flagged")
            if acts and blocks and item.mode == "enforce":
                raise BlockedError(item)

    async def answers(
        self, session: aiohttp.ClientSession, corrections: list[policy.Correction], question: Question
    ) -> dict[str, bool]:
        """Tell which corrections get a score, for a probe."""
        found = {}
        for item in corrections:
            try:
                await self._score(session, item.effect, question)  # type: ignore[arg-type]
                found[item.id] = True
            except NoScoreError:
                found[item.id] = False
        return found

    async def _judge(
        self, session: aiohttp.ClientSession, item: policy.Correction, question: Question
    ) -> tuple[bool, bool]:
        """Tell whether the correction acts, and whether it blocks."""
        effect = item.effect
        assert isinstance(effect, policy.Classifier)  # noqa: S101 - the caller chose
        try:
            score = await self._score(session, effect, question)
        except NoScoreError as error:
            log.warning("no_score", correction=item.id, classifier=effect.name, error=str(error))
            refuse = effect.on_failure == "refuse" and item.mode == "enforce"
            return refuse, refuse
        return round(score * 100, 6) >= effect.threshold, effect.action == "block"

    async def _score(
        self, session: aiohttp.ClientSession, effect: policy.Classifier, question: Question
    ) -> float:
        found = ((self._file.get() if self._file else None) or {}).get(effect.name)
        if found is None:
            raise NoScoreError("not registered at this gateway")
        try:
            headers = {"content-type": "application/json", **_token(found)}
            timeout = aiohttp.ClientTimeout(total=effect.timeout_ms / 1000)
            asked = msgspec.json.encode(question)
            async with session.post(found.url, data=asked, headers=headers, timeout=timeout) as reply:
                reply.raise_for_status()
                return msgspec.json.decode(await reply.read(), type=_Reply).score
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
            raise NoScoreError(str(error) or type(error).__name__) from error


def _token(found: Registered) -> dict[str, str]:
    if not found.token_file:
        return {}
    return {"authorization": f"Bearer {Path(found.token_file).read_text().strip()}"}
