"""Streamed answers: looked into piece by piece, and ended when the policy says so meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextvars import Context, copy_context
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import BaseModel

from enforcement import refusals
from enforcement.adapters.litellm.ruling import Law, RefusedError
from enforcement.decide import rank
from enforcement.filter import wire as wires
from enforcement.filter.ending import ending
from enforcement.filter.streaming import Stream, UnreadableError
from enforcement.filter.wire.base import DONE

if TYPE_CHECKING:
    from enforcement.adapters.litellm.passing import Passage

LOOK_SECONDS = 0.25
"""How often a stream looks for a new policy while its model says nothing."""
_EVENTS = (b"data:", b"event:", b":")
_END = object()


class Watch:
    """Sees when the policy ends an answer: what reached it when it was decided about does not."""

    def __init__(self, passage: Passage, current: Callable[[], Law | None]) -> None:
        self._passage, self._current = passage, current
        now = passage.ruling.decided_at
        self._seen, self._due = passage.law, passage.law.next_change(now)
        self._known = {item.id for item in ending(passage.law, passage.attributes, now)}

    def check(self) -> None:
        """Look whether anything has changed.

        :raises RefusedError: the answer ends here.
        """
        law, now = self._current() or self._seen, datetime.now(UTC)
        if law is self._seen and (self._due is None or now < self._due):
            return
        self._seen, self._due = law, law.next_change(now)
        found = ending(law, self._passage.attributes, now)
        new = [item for item in found if item.id not in self._known]
        if new:
            raise law.refused(min(new, key=rank).id)


class Looking:
    """Looks into one stream; what it lets out unchanged are LiteLLM's own chunks."""

    def __init__(self, passage: Passage, model: str) -> None:
        endpoint = passage.ruling.attributes.endpoint
        guards = passage.law.guards(passage.ruling)
        self._passage, self._model, self.figures = passage, model, passage.figures
        self._stream = Stream(wires.of(endpoint), guards, passage.findings) if guards else None
        self._own_events = endpoint == "messages"

    @property
    def blocked(self) -> bool:
        """Whether a correction has ended it."""
        return self._passage.blocked is not None

    def feed(self, chunk: Any) -> Iterator[Any]:
        """Give what may go out.

        :raises UnreadableError: nobody can look into it.
        """
        if self.figures is not None:
            self.figures.see(chunk)
        if self._stream is None:
            yield chunk
            return
        raw = self._event(chunk)
        yield from self._let_out(self._stream.feed(raw), raw, chunk)

    def finish(self) -> Iterator[Any]:
        """Give what was held when the model has ended."""
        if self._stream is not None and not self.blocked:
            yield from self._let_out(self._stream.finish(), b"", None)

    def _let_out(self, out: bytes, raw: bytes, chunk: Any) -> Iterator[Any]:
        assert self._stream is not None  # noqa: S101 - the callers have looked
        if self._stream.blocked:
            self._passage.blocked = self._stream.blocked
            out = out.removesuffix(DONE)  # LiteLLM says that it is done
        if out:
            yield chunk if out == raw else out

    def _event(self, chunk: Any) -> bytes:
        """Give a chunk as the caller would get it."""
        if isinstance(chunk, BaseModel):
            return self._written(chunk.model_dump(mode="json", exclude_none=True))
        if isinstance(chunk, dict):
            return self._written(chunk)
        raw = chunk.encode() if isinstance(chunk, str) else chunk
        if isinstance(raw, bytes) and (self._own_events or raw.startswith(_EVENTS)):
            return raw
        raise UnreadableError

    def _written(self, body: dict[str, Any]) -> bytes:
        """Write an event under the name of the model that the caller has asked for, as LiteLLM does."""
        named = {**body, "model": self._model} if self._model and "model" in body else body
        return b"data: " + orjson.dumps(named, default=str) + b"\n\n"


async def through(response: AsyncIterator[Any], looking: Looking, watch: Watch) -> AsyncGenerator[Any]:
    """Let a stream through.

    :raises RefusedError: it ends here.
    """
    context = copy_context()
    try:
        while not looking.blocked and (chunk := await _next(response, watch, context)) is not _END:
            for each in looking.feed(chunk):
                yield each
        for each in looking.finish():
            yield each
    except UnreadableError as error:
        raise RefusedError(503, refusals.FAILED) from error
    finally:
        await _close(response)


async def _next(response: AsyncIterator[Any], watch: Watch, context: Context) -> Any:
    """Wait for a chunk, and look at the policy however long it takes."""
    waiting = asyncio.get_running_loop().create_task(_one(response), context=context)
    try:
        while not waiting.done():
            await asyncio.wait({waiting}, timeout=LOOK_SECONDS)
            watch.check()
        return waiting.result()
    finally:
        if not waiting.done():
            waiting.cancel()
            await asyncio.wait({waiting})


async def _one(response: AsyncIterator[Any]) -> Any:
    return await anext(response, _END)


async def _close(response: AsyncIterator[Any]) -> None:
    """Let the model know that nobody listens any more."""
    close = getattr(response, "aclose", None)
    if close is not None:
        await close()
