"""From a question to an answer: text or the call of a tool, and the figures that go with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Literal

from deploy.demo import language, tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from deploy.demo.asked import Choice, Function, Message

USUAL = (1, 3)
LONG = (30, 40)
WANTS_LONG = re.compile(r"\b(long|detailed|detail|essay|story)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What every API's request comes down to."""

    model: str
    messages: Sequence[Message]
    limit: int | None = None
    stop: Sequence[str] = ()
    seed: int | None = None
    temperature: float | None = None
    offered: Sequence[Function] = ()
    choice: Choice = None
    go_on: bool = False
    """Continue the last words of the prompt instead of answering it."""

    @property
    def last(self) -> str:
        """The text of the last turn."""
        return self.messages[-1].text

    @property
    def tokens(self) -> int:
        """How many tokens were read."""
        return sum(len(language.tokens(message.text)) for message in self.messages)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Text in the pieces in which it is streamed, or a call."""

    pieces: Sequence[str] = ()
    finish: Literal["stop", "length"] = "stop"
    call: tools.Call | None = None
    tokens: int = field(kw_only=True)

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


def answer(question: Question, *, number: int = 0) -> Answer:
    """Answer the question; ``number`` tells apart several answers to one question."""
    seed = None if question.seed is None else question.seed + number
    random = Random(seed)  # noqa: S311 - a language model draws words, not secrets
    call = tools.choose(question)
    if call is not None:
        return Answer(call=call, tokens=len(language.tokens(call.arguments)) + 1)
    words = _words(question, random)
    limit = question.limit or len(words) + 1
    pieces, stopped = _until(question.stop, language.joined(words[:limit]))
    finish: Literal["stop", "length"] = "length" if len(words) > limit and not stopped else "stop"
    return Answer(pieces=pieces, finish=finish, tokens=len(pieces))


def _words(question: Question, random: Random) -> list[str]:
    model = language.load(question.model)
    write = model.go_on if question.go_on else model.write
    span = LONG if WANTS_LONG.search(question.last) else USUAL
    greedy = question.temperature == 0
    return list(write(question.last, random=random, sentences=random.randint(*span), greedy=greedy))


def _until(stops: Sequence[str], pieces: list[str]) -> tuple[list[str], bool]:
    """Cut the pieces before the first stop sequence; say whether there was one."""
    text = "".join(pieces)
    places = [place for place in (text.find(stop) for stop in stops if stop) if place >= 0]
    if not places:
        return pieces, False
    return list(_first(min(places), pieces)), True


def _first(length: int, pieces: Sequence[str]) -> Iterator[str]:
    """Give the pieces that make up the first ``length`` characters."""
    for piece in pieces:
        if length <= 0:
            return
        yield piece[:length]
        length -= len(piece)
