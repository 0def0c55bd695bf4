"""Answers in one piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from enforcement import refusals
from enforcement.filter.guards import BlockedError, Findings, Guard
from enforcement.filter.texts import Leaf, leaves
from enforcement.filter.whole import review, together

Json = dict[str, Any]


class Answer:
    """What the caller gets: other bytes, unless nothing had to be changed; and what blocked it."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.blocked: str | None = None
        self.refused = False
        """It had to be replaced by a refusal, since it has no form of its own for an end by a filter."""


def reviewed(raw: bytes, guards: Sequence[Guard], findings: Findings) -> Answer:
    """Look into an answer; what is no JSON is read as one text, in which nothing can be redacted."""
    answer = Answer(raw)
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    holder = body if isinstance(body, dict | list) else {"text": raw.decode(errors="replace")}
    try:
        changed = [review(group, guards, findings, choice) for choice, group in _groups(holder)]
    except BlockedError as blocked:
        _block(answer, body, blocked)
        return answer
    if any(changed) and holder is body:
        answer.raw = orjson.dumps(body)
    elif any(changed):
        _refuse(answer, next(guard for guard in guards if guard.action == "redact"))
    return answer


def _groups(body: Any) -> Iterator[tuple[object, list[Leaf]]]:
    choices = body.get("choices") if isinstance(body, dict) else None
    if not isinstance(choices, list):
        choices = []
    for number, choice in enumerate(choices):
        yield from ((number, group) for group in together(leaves(choice)))
    besides = frozenset({"choices"}) if choices else frozenset()
    yield from ((None, group) for group in together(leaves(body, besides=besides)))


def _refuse(answer: Answer, guard: Guard) -> None:
    answer.blocked, answer.refused = guard.correction.id, True
    answer.raw = orjson.dumps(refusals.refusal(guard.correction))


def _block(answer: Answer, body: Any, blocked: BlockedError) -> None:
    answer.blocked = blocked.correction.id
    ended = _ended(body) if isinstance(body, dict) else None
    answer.refused = ended is None
    answer.raw = orjson.dumps(refusals.refusal(blocked.correction) if ended is None else ended)


def _ended(body: Json) -> Json | None:
    """Give the answer as its API ends one by a filter: without any of its text."""
    if isinstance(body.get("choices"), list):
        return {**body, "choices": [_choice(each) for each in body["choices"] if isinstance(each, dict)]}
    if body.get("object") == "response":
        reason = {"reason": "content_filter"}
        bare = {name: value for name, value in body.items() if name != "output_text"}
        return {**bare, "status": "incomplete", "incomplete_details": reason, "output": []}
    if body.get("type") == "message":
        return {**body, "content": [], "stop_reason": "refusal", "stop_sequence": None}
    return None


def _choice(choice: Json) -> Json:
    text = {"text": ""} if "text" in choice else {"message": {"role": "assistant", "content": ""}}
    number = choice.get("index", 0)
    return {"index": number, **text, "logprobs": None, "finish_reason": "content_filter"}
