"""``/v1/messages``, in the shape of Anthropic's API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from deploy.demo.answer import Answer, Question
from deploy.demo.asked import AnthropicMessages as Asked
from deploy.demo.asked import Message
from deploy.demo.wire import Event, new_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Asked", "events", "questions", "whole"]


def questions(asked: Asked) -> list[Question]:
    """Give the question."""
    return [
        Question(
            model=asked.model,
            messages=[*([Message("system", asked.system)] if asked.system else []), *asked.messages],
            limit=asked.max_tokens,
            stop=asked.stop_sequences,
            temperature=asked.temperature,
            offered=asked.tools,
            choice=asked.tool_choice,
        )
    ]


def whole(asked: Asked, answers: Sequence[Answer]) -> dict[str, Any]:
    """Give the body of an answer in one piece."""
    answer = answers[0]
    return {
        **_begun(asked),
        "content": [_block(answer)],
        "stop_reason": _reason(answer),
        "usage": {"input_tokens": questions(asked)[0].tokens, "output_tokens": answer.tokens},
    }


def events(asked: Asked, answers: Sequence[Answer]) -> Iterator[Event]:
    """Give the events of a streamed answer."""
    for data in _events(asked, answers[0]):
        yield data["type"], data


def _events(asked: Asked, answer: Answer) -> Iterator[dict[str, Any]]:
    begun = _begun(asked)
    begun["usage"] = {"input_tokens": questions(asked)[0].tokens, "output_tokens": 0}
    yield {"type": "message_start", "message": begun}
    hollow: dict[str, Any] = {"input": {}} if answer.call else {"text": ""}
    yield {"type": "content_block_start", "index": 0, "content_block": {**_block(answer), **hollow}}
    for delta in _deltas(answer):
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": _reason(answer), "stop_sequence": None},
        "usage": {"output_tokens": answer.tokens},
    }
    yield {"type": "message_stop"}


def _deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    if answer.call is not None:
        yield {"type": "input_json_delta", "partial_json": answer.call.arguments}
    for piece in answer.pieces:
        yield {"type": "text_delta", "text": piece}


def _begun(asked: Asked) -> dict[str, Any]:
    return {
        "id": new_id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _block(answer: Answer) -> dict[str, Any]:
    if answer.call is None:
        return {"type": "text", "text": answer.text}
    arguments = json.loads(answer.call.arguments)
    return {"type": "tool_use", "id": new_id("toolu_"), "name": answer.call.name, "input": arguments}


def _reason(answer: Answer) -> str:
    if answer.call is not None:
        return "tool_use"
    return "max_tokens" if answer.finish == "length" else "end_turn"
