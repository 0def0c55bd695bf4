"""Speaking with the hubs: take the policy by long poll, hand in reports and traffic."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import aiohttp
import msgspec

from enforcement import policy
from enforcement.agent.state import State
from enforcement.report import TrafficBatch, TrafficRecord, TrafficTaken

WAIT_SECONDS = 25
CLOCK_SECONDS = 5.0
"""A difference that no slow answer explains; the hub's date is good to a second or two."""
PAUSES = (0.2, 0.5, 1.0, 2.0)
REFUSAL_MOST = 300
AWAY = (aiohttp.ClientError, TimeoutError)
UNFORESEEN = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    OSError,
    policy.PolicyError,
)
"""What one odd answer may bring about: it must not end the agent, which would meet it again."""
TOLD_SECONDS = 3600
"""So long after the last record that no hub keeps the problem is told."""
TAKEN_ALL = TrafficTaken(taken=0, left_out=0)
POLL_TIMEOUT = aiohttp.ClientTimeout(total=WAIT_SECONDS + 5, connect=3)
FETCH_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=2, sock_read=5)
POST_TIMEOUT = aiohttp.ClientTimeout(total=5, connect=2)


class _Arrived(NamedTuple):
    raw: bytes
    etag: str


class Hub:
    """One hub. While it is away the gateway goes on as it is."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str, state: State) -> None:
        self._session, self._url, self._state = session, url, state
        self._headers = {"authorization": f"Bearer {token}"}
        self._etag = ""
        self._report = b""
        self._news = asyncio.Event()
        self._skewed = False
        self.up = True
        """It answered the last time."""

    async def follow(self, take: Callable[[bytes], Awaitable[bool]]) -> None:
        """Hand every new policy to ``take``, for ever; one that it cannot settle now is asked for again."""
        failures = 0
        while True:
            if await self._settled(take):
                failures = 0
                continue
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1

    async def _settled(self, take: Callable[[bytes], Awaitable[bool]]) -> bool:
        try:
            settled = await self._asked(take)
        except UNFORESEEN as error:
            self._state.problem(f"{self._code}:policy", f"what it sent cannot be taken: {error!r}")
            return False
        if settled:
            self._state.solved(f"{self._code}:policy")
        return settled

    async def _asked(self, take: Callable[[bytes], Awaitable[bool]]) -> bool:
        try:
            arrived = await self._poll()
        except AWAY as error:
            self.up = False
            self._state.problem(self._code, f"the hub does not answer: {error or type(error).__name__}")
            return False
        self.up = True
        self._state.solved(self._code)
        if arrived is None:
            return True
        if not await take(arrived.raw):
            return False
        self._etag = arrived.etag
        return True

    def tell(self, report: bytes) -> None:
        """Let it know of a report; one that has not been sent yet is forgotten for the newer one."""
        self._report = report
        self._news.set()

    async def speak(self) -> None:
        """Hand in the newest report whenever there is one, for ever. A slow hub holds up no other."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.post("/v1/status", self._report)
            except UNFORESEEN as error:
                self._state.problem(f"{self._code}:post", f"its answer cannot be read: {error!r}")

    async def fetch(self, address: str) -> bytes | None:
        """Get an attachment; nothing means that this hub has not got it, or is away."""
        url = f"{self._url}/v1/attachments/{address}"
        try:
            async with self._session.get(url, headers=self._headers, timeout=FETCH_TIMEOUT) as response:
                return await response.read() if response.status == 200 else None  # noqa: PLR2004
        except AWAY:
            return None

    async def post(self, path: str, body: bytes) -> bytes | None:
        """Hand something in; give what the hub says to it, or nothing where it has not got it."""
        headers = {**self._headers, "content-type": "application/json"}
        try:
            async with self._session.post(
                self._url + path, data=body, headers=headers, timeout=POST_TIMEOUT
            ) as response:
                self._compare_clocks(response.headers.get("date", ""))
                if response.status >= 400:  # noqa: PLR2004
                    text = (await response.content.read(REFUSAL_MOST)).decode(errors="replace")
                    self._state.problem(f"{self._code}:post", f"{path}: {response.status} {text}")
                    return None
                said = await response.read()
        except AWAY:
            self.up = False
            return None
        self._state.solved(f"{self._code}:post")
        return said

    def _compare_clocks(self, said: str) -> None:
        """Note a clock that is not the hub's: starts and ends would be early or late here."""
        try:
            ahead = (datetime.now(UTC) - parsedate_to_datetime(said)).total_seconds()
        except (ValueError, TypeError, OverflowError):  # no date, or one without a zone
            return
        if abs(ahead) > CLOCK_SECONDS:
            where = "ahead of" if ahead > 0 else "behind"
            self._state.problem("clock", f"this clock is {abs(ahead):.0f} s {where} that of {self._url}")
            self._skewed = True
        elif self._skewed:  # another hub, with which all is well, has no say in it
            self._skewed = False
            self._state.solved("clock")

    async def _poll(self) -> _Arrived | None:
        headers = {**self._headers, **({"if-none-match": self._etag} if self._etag else {})}
        url = f"{self._url}/v1/policy?wait={WAIT_SECONDS}"
        async with self._session.get(url, headers=headers, timeout=POLL_TIMEOUT) as response:
            if response.status == 200:  # noqa: PLR2004
                return _Arrived(await response.read(), response.headers.get("etag", ""))
            if response.status == 404:  # noqa: PLR2004 - no policy yet
                await asyncio.sleep(PAUSES[0])
            elif response.status != 304:  # noqa: PLR2004
                response.raise_for_status()
            return None

    @property
    def _code(self) -> str:
        return f"hub:{self._url}"


async def hand_in(hubs: Sequence[Hub], gateway: str, records: Sequence[TrafficRecord]) -> TrafficTaken | None:
    """Give every hub that is up the records, or else all; tell what the one says that left out the fewest."""
    body = msgspec.json.encode(TrafficBatch(gateway=gateway, records=tuple(records)))
    there = [hub for hub in hubs if hub.up] or hubs
    answers = await asyncio.gather(*(hub.post("/v1/traffic", body) for hub in there))
    taken = [_taken(answer) for answer in answers if answer is not None]
    return min(taken, key=lambda each: each.left_out, default=None)


def _taken(answer: bytes) -> TrafficTaken:
    """Read what a hub left out; one that says nothing has taken all."""
    try:
        return msgspec.json.decode(answer, type=TrafficTaken) if answer else TAKEN_ALL
    except msgspec.DecodeError:
        return TAKEN_ALL
