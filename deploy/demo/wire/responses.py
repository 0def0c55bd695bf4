"""``/v1/responses``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.demo.answer import Answer, Question
from deploy.demo.asked import Message
from deploy.demo.asked import Response as Asked
from deploy.demo.wire import FINGERPRINT, Event, new_id, now

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Asked", "events", "questions", "whole"]


def questions(asked: Asked) -> list[Question]:
    """Give the question."""
    turns = [Message(content=asked.input)] if isinstance(asked.input, str) else asked.input
    return [
        Question(
            model=asked.model,
            messages=[*([Message("system", asked.instructions)] if asked.instructions else []), *turns],
            limit=asked.max_output_tokens,
            seed=asked.seed,
            temperature=asked.temperature,
            offered=asked.tools,
            choice=asked.tool_choice,
        )
    ]


def whole(asked: Asked, answers: Sequence[Answer]) -> dict[str, Any]:
    """Give the body of an answer in one piece."""
    return _finished(asked, _begun(asked), answers[0], _item(answers[0]))


def events(asked: Asked, answers: Sequence[Answer]) -> Iterator[Event]:
    """Give the events of a streamed answer, numbered."""
    for number, (name, data) in enumerate(_events(asked, answers[0])):
        yield name, {"type": name, "sequence_number": number, **data}


def _events(asked: Asked, answer: Answer) -> Iterator[tuple[str, dict[str, Any]]]:
    begun, item = _begun(asked), _item(answer)
    yield "response.created", {"response": begun}
    yield "response.in_progress", {"response": begun}
    hollow: dict[str, Any] = {"arguments": ""} if answer.call else {"content": []}
    yield (
        "response.output_item.added",
        {
            "output_index": 0,
            "item": {**item, **hollow, "status": "in_progress"},
        },
    )
    yield from _call_events(item) if answer.call else _text_events(answer, item)
    yield "response.output_item.done", {"output_index": 0, "item": item}
    finished = _finished(asked, begun, answer, item)
    yield f"response.{finished['status']}", {"response": finished}


def _text_events(answer: Answer, item: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    yield "response.content_part.added", {**place, "part": _part("")}
    for piece in answer.pieces:
        yield "response.output_text.delta", {**place, "delta": piece, "logprobs": []}
    yield "response.output_text.done", {**place, "text": answer.text, "logprobs": []}
    yield "response.content_part.done", {**place, "part": _part(answer.text)}


def _call_events(item: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    place = {"item_id": item["id"], "output_index": 0}
    yield "response.function_call_arguments.delta", {**place, "delta": item["arguments"]}
    yield (
        "response.function_call_arguments.done",
        {**place, "name": item["name"], "arguments": item["arguments"]},
    )


def _begun(asked: Asked) -> dict[str, Any]:
    return {
        "id": new_id("resp_"),
        "object": "response",
        "created_at": now(),
        "status": "in_progress",
        "model": asked.model,
        "output": [],
        "error": None,
        "incomplete_details": None,
        "instructions": asked.instructions,
        "metadata": {"system_fingerprint": FINGERPRINT},
        "parallel_tool_calls": False,
        "temperature": asked.temperature,
        "tool_choice": asked.tool_choice or "auto",
        "tools": [{"type": "function", "name": tool.name} for tool in asked.tools],
        "top_p": None,
        "max_output_tokens": asked.max_output_tokens,
        "usage": None,
    }


def _finished(asked: Asked, begun: dict[str, Any], answer: Answer, item: dict[str, Any]) -> dict[str, Any]:
    cut = answer.finish == "length"
    tokens_in = questions(asked)[0].tokens
    return {
        **begun,
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "output": [item],
        "usage": {
            "input_tokens": tokens_in,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": answer.tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens_in + answer.tokens,
        },
    }


def _item(answer: Answer) -> dict[str, Any]:
    status = "incomplete" if answer.finish == "length" else "completed"
    if answer.call is None:
        content = [_part(answer.text)]
        return {
            "id": new_id("msg_"),
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": content,
        }
    return {
        "id": new_id("fc_"),
        "type": "function_call",
        "status": status,
        "call_id": new_id("call_"),
        "name": answer.call.name,
        "arguments": answer.call.arguments,
    }


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
