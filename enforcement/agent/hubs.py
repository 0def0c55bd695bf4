"""Speaking with the hubs: take the policy by long poll, hand in reports and traffic."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp

from enforcement.agent.state import State

WAIT_SECONDS = 25
PAUSES = (0.2, 0.5, 1.0, 2.0)
POLL_TIMEOUT = aiohttp.ClientTimeout(total=WAIT_SECONDS + 10, connect=3)
POST_TIMEOUT = aiohttp.ClientTimeout(total=5, connect=2)


class Hub:
    """One hub. While it is away the gateway goes on as it is."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str, state: State) -> None:
        self._session, self._url, self._state = session, url, state
        self._headers = {"authorization": f"Bearer {token}"}
        self._etag = ""

    async def follow(self, take: Callable[[bytes], Awaitable[None]]) -> None:
        """Hand every new policy to ``take``, for ever."""
        failures = 0
        while True:
            try:
                raw = await self._poll()
            except (aiohttp.ClientError, TimeoutError) as error:
                self._away(error)
                await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1
                continue
            failures = 0
            self._state.solved(self._code)
            if raw is not None:
                await take(raw)

    async def post(self, path: str, body: bytes) -> bool:
        """Hand something in; tell whether the hub has it."""
        headers = {**self._headers, "content-type": "application/json"}
        try:
            async with self._session.post(
                self._url + path, data=body, headers=headers, timeout=POST_TIMEOUT
            ) as response:
                if response.status >= 400:  # noqa: PLR2004
                    text = (await response.text())[:300]
                    self._state.problem(f"{self._code}:post", f"{path}: {response.status} {text}")
                    return False
        except (aiohttp.ClientError, TimeoutError):
            return False
        self._state.solved(f"{self._code}:post")
        return True

    async def _poll(self) -> bytes | None:
        headers = {**self._headers, **({"if-none-match": self._etag} if self._etag else {})}
        url = f"{self._url}/v1/policy?wait={WAIT_SECONDS}"
        async with self._session.get(url, headers=headers, timeout=POLL_TIMEOUT) as response:
            if response.status == 200:  # noqa: PLR2004
                raw = await response.read()
                self._etag = response.headers.get("etag", "")
                return raw
            if response.status == 404:  # noqa: PLR2004 - no policy yet
                await asyncio.sleep(PAUSES[0])
            elif response.status != 304:  # noqa: PLR2004
                response.raise_for_status()
            return None

    @property
    def _code(self) -> str:
        return f"hub:{self._url}"

    def _away(self, error: Exception) -> None:
        self._state.problem(self._code, f"the hub does not answer: {error or type(error).__name__}")
