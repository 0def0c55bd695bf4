"""A streamed answer on its way through: event by event, each text held back only as long as it must be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from enforcement.filter.guards import BlockedError, Findings, Guard, Place
from enforcement.filter.held import Held
from enforcement.filter.sse import Event, Reader, TooLongError
from enforcement.filter.whole import review, together
from enforcement.filter.wire import Text, Wire
from enforcement.filter.wire.base import Json, Logprobs


class UnreadableError(Exception):
    """The model has sent what nobody can look into."""


@dataclass
class _Open:
    """A text that goes on: what is held of it, and an event that added to it."""

    held: Held
    like: Json
    piece: Text
    logprobs: Logprobs


class Stream:
    """One answer. ``feed`` gives what may go out; ``blocked`` is the correction that has ended it."""

    def __init__(self, wire: Wire, guards: Sequence[Guard], findings: Findings) -> None:
        self._wire, self._guards, self._findings = wire, guards, findings
        self._reader = Reader()
        self._open: dict[Place, _Open] = {}
        self.blocked: str | None = None
        self.said = ""
        """All the text that the model has added so far, if anybody listens."""
        self.listened = False

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes from the model.

        :raises UnreadableError: it is no stream of events with JSON in them.
        """
        try:
            return self._through(self._reader.feed(chunk))
        except TooLongError as error:
            raise UnreadableError from error

    def finish(self) -> bytes:
        """Give what was held when the model has ended.

        :raises UnreadableError: as for :meth:`feed`.
        """
        last = self._through(self._reader.finish())
        return last if self.blocked else last + self._guarded(self._flushed(list(self._open)))

    def _through(self, events: Iterator[Event]) -> bytes:
        out = b""
        for event in events:
            if not self.blocked:
                out += self._guarded(self._event(event))
        return out

    def _guarded(self, parts: Iterator[bytes]) -> bytes:
        out = b""
        try:
            for part in parts:
                out += part
        except BlockedError as blocked:
            self.blocked = blocked.correction.id
            return out + self._wire.blocked()
        return out

    def _event(self, event: Event) -> Iterator[bytes]:
        if event.data is None:
            yield event.raw
        elif event.data.strip() == b"[DONE]":
            yield from self._flushed(list(self._open))
            yield event.raw
        else:
            yield from self._json(event, _parsed(event.data))

    def _json(self, event: Event, body: Json) -> Iterator[bytes]:
        pieces, ends = self._wire.pieces(body), self._wire.ends(body)
        changed = [self._piece(piece, body, last=ends is not None and ends(piece.place)) for piece in pieces]
        others = together(self._wire.others(body))
        changed += [review(group, self._guards, self._findings, None) for group in others]
        if ends is not None:
            yield from self._flushed([place for place in self._open if ends(place)])
        if any(changed) and not _says_anything(body, pieces):
            return
        again = self._wire.numbered(body, event.name, changed=any(changed))
        self._wire.note(body)
        yield event.raw if again is None else again

    def _piece(self, piece: Text, body: Json, *, last: bool) -> bool:
        """Put what may go out in the place of a piece; tell whether that is something else."""
        found = self._open.get(piece.place)
        if found is None:
            choice = self._wire.choice(piece.place)
            held = Held(self._guards, self._findings, escaped=piece.leaf.escaped, choice=choice)
            found = self._open[piece.place] = _Open(held, body, piece, {})
        text = piece.leaf.text
        if self.listened:
            self.said += text
        out = found.held.feed(text, final=last)
        found.like, found.piece = {**body}, piece
        moved = self._hold_logprobs(found, self._wire.logprobs(body, piece.place))
        if last:
            del self._open[piece.place]
        if out != text:
            piece.leaf.write(out)
        return out != text or moved

    @staticmethod
    def _hold_logprobs(found: _Open, told: Json) -> bool:
        """Tokens go out with the text that they make up, and never if any of it was redacted."""
        if not told and not found.logprobs:
            return False
        lists = {name: value for name, value in told.items() if isinstance(value, list)}
        moved = bool(found.logprobs) or (bool(lists) and bool(found.held.text or found.held.redacts))
        if not moved:
            return False
        for name, value in lists.items():
            found.logprobs[name] = [*found.logprobs.get(name, []), *value]
        ready = not found.held.text and not found.held.redacts
        for name in lists:
            told[name] = found.logprobs.pop(name) if ready else []
        return True

    def _flushed(self, places: list[Place]) -> Iterator[bytes]:
        for place in places:
            found = self._open.pop(place)
            rest = found.held.feed("", final=True)
            if rest:
                logprobs = {} if found.held.redacts else found.logprobs
                yield self._wire.carry(found.like, found.piece, rest, logprobs)


def _parsed(data: bytes) -> Json:
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise UnreadableError from error
    if not isinstance(body, dict):
        raise UnreadableError
    return body


def _says_anything(body: Json, pieces: list[Text]) -> bool:
    """Tell whether an event is worth sending: it has text, or more than the text that is held."""
    if not pieces or any(piece.leaf.text for piece in pieces) or body.get("usage"):
        return True
    carriers = body.get("choices") or body.get("delta")
    return not isinstance(carriers, list | dict) or _scalars(carriers) > len(pieces)


def _scalars(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_scalars(inner) for name, inner in value.items() if name not in ("index", "type"))
    if isinstance(value, list):
        return sum(map(_scalars, value))
    return value is not None
