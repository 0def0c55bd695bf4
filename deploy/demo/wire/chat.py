"""``/v1/chat/completions``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.demo.answer import Answer, Question
from deploy.demo.asked import Chat as Asked
from deploy.demo.wire import DONE, FINGERPRINT, Event, new_id, now, stops

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from deploy.demo.tools import Call

__all__ = ["Asked", "events", "questions", "usage", "whole"]


def questions(asked: Asked) -> list[Question]:
    """Give the question, once per wanted choice."""
    question = Question(
        model=asked.model,
        messages=asked.messages,
        limit=asked.max_completion_tokens or asked.max_tokens,
        stop=stops(asked.stop),
        seed=asked.seed,
        temperature=asked.temperature,
        offered=[tool.function for tool in asked.tools],
        choice=asked.tool_choice,
    )
    return [question] * asked.n


def whole(asked: Asked, answers: Sequence[Answer]) -> dict[str, Any]:
    """Give the body of an answer in one piece."""
    choices = [
        {"index": index, "message": _message(answer), "logprobs": None, "finish_reason": _finish(answer)}
        for index, answer in enumerate(answers)
    ]
    return {
        **_head(asked, "chat.completion"),
        "choices": choices,
        "usage": usage(questions(asked)[0].tokens, answers),
    }


def events(asked: Asked, answers: Sequence[Answer]) -> Iterator[Event]:
    """Give the chunks of a streamed answer."""
    head = _head(asked, "chat.completion.chunk")
    wants_usage = asked.stream_options is not None and asked.stream_options.include_usage
    extra: dict[str, Any] = {"usage": None} if wants_usage else {}
    for index, answer in enumerate(answers):
        for delta in _deltas(answer):
            yield "", {**head, "choices": [_chunk(index, delta, None)], **extra}
        yield "", {**head, "choices": [_chunk(index, {}, _finish(answer))], **extra}
    if wants_usage:
        yield "", {**head, "choices": [], "usage": usage(questions(asked)[0].tokens, answers)}
    yield "", DONE


def usage(tokens_in: int, answers: Sequence[Answer]) -> dict[str, int]:
    """Give the figures that chat and text completions share."""
    tokens_out = sum(answer.tokens for answer in answers)
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }


def _head(asked: Asked, kind: str) -> dict[str, Any]:
    return {
        "id": new_id("chatcmpl-"),
        "object": kind,
        "created": now(),
        "model": asked.model,
        "system_fingerprint": FINGERPRINT,
    }


def _message(answer: Answer) -> dict[str, Any]:
    if answer.call is None:
        return {"role": "assistant", "content": answer.text, "refusal": None}
    return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [_tool_call(answer.call)]}


def _deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    if answer.call is not None:
        yield {"role": "assistant", "content": None, "tool_calls": [_tool_call(answer.call) | {"index": 0}]}
        return
    yield {"role": "assistant", "content": "", "refusal": None}
    for piece in answer.pieces:
        yield {"content": piece}


def _tool_call(call: Call) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": new_id("call_"), "type": "function", "function": function}


def _chunk(index: int, delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}


def _finish(answer: Answer) -> str:
    return answer.finish if answer.call is None else "tool_calls"
