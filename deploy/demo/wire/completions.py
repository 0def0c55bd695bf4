"""``/v1/completions``: the model goes on where the prompt ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.demo.answer import Answer, Question
from deploy.demo.asked import Completion as Asked
from deploy.demo.asked import Message
from deploy.demo.wire import DONE, FINGERPRINT, Event, new_id, now, stops
from deploy.demo.wire.chat import usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Asked", "events", "questions", "whole"]

USUAL_LIMIT = 16
"""As in the original API, where a completion is short unless asked otherwise."""


def questions(asked: Asked) -> list[Question]:
    """Give a question per prompt and wanted choice."""
    prompts = [asked.prompt] if isinstance(asked.prompt, str) else asked.prompt or [""]
    return [
        Question(
            model=asked.model,
            messages=[Message(content=prompt)],
            limit=asked.max_tokens or USUAL_LIMIT,
            stop=stops(asked.stop),
            seed=asked.seed,
            temperature=asked.temperature,
            go_on=True,
        )
        for prompt in prompts
        for _ in range(asked.n)
    ]


def whole(asked: Asked, answers: Sequence[Answer]) -> dict[str, Any]:
    """Give the body of an answer in one piece."""
    choices = [_choice(index, answer.text, answer.finish) for index, answer in enumerate(answers)]
    return {**_head(asked), "choices": choices, "usage": usage(_tokens_in(asked), answers)}


def events(asked: Asked, answers: Sequence[Answer]) -> Iterator[Event]:
    """Give the chunks of a streamed answer."""
    head = _head(asked)
    for index, answer in enumerate(answers):
        for piece in answer.pieces:
            yield "", {**head, "choices": [_choice(index, piece, None)]}
        yield "", {**head, "choices": [_choice(index, "", answer.finish)]}
    if asked.stream_options is not None and asked.stream_options.include_usage:
        yield "", {**head, "choices": [], "usage": usage(_tokens_in(asked), answers)}
    yield "", DONE


def _tokens_in(asked: Asked) -> int:
    return sum(question.tokens for question in questions(asked)) // asked.n


def _head(asked: Asked) -> dict[str, Any]:
    return {
        "id": new_id("cmpl-"),
        "object": "text_completion",
        "created": now(),
        "model": asked.model,
        "system_fingerprint": FINGERPRINT,
    }


def _choice(index: int, text: str, finish: str | None) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": finish}
