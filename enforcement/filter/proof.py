"""Answers to probes: what would have been sent to the model, and what would have become of its answer.

A probe meets no model. What it says to the model is taken for the model's answer and goes through the output
filters twice: as one piece, and as a stream that is cut after every character.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson

from enforcement import policy
from enforcement.filter import asked, wire
from enforcement.filter.answers import reviewed
from enforcement.filter.guards import Findings, Guard
from enforcement.filter.streaming import Stream
from enforcement.filter.wire.base import Json

if TYPE_CHECKING:
    from enforcement.filter.request import Asked

FINISH = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def of(request: Asked, sent: bytes, findings: Findings, classifiers: dict[str, bool]) -> Json:
    """Give the answer to a probe; ``classifiers``: which of them gave a score."""
    return {
        "probe": "passed",
        "request": orjson.loads(sent),
        "answer": answered(request.body, request.guards(policy.OutputFilter), findings),
        "classifiers": classifiers,
    }


def answered(body: Json, guards: Sequence[Guard], findings: Findings) -> Json:
    """Tell what would become of an answer that says what the request said last."""
    said = ["".join(leaf.text for leaf in group) for group in asked.groups(body)]
    text = said[-1] if said else ""
    whole = reviewed(orjson.dumps(_answer(text)), guards, findings)
    stream = Stream(wire.of("chat.completions"), guards, findings)
    streamed = b"".join(stream.feed(_chunk({"content": one})) for one in text)
    streamed += b"" if stream.blocked else stream.feed(_event(FINISH)) + stream.finish()
    return {
        "sent": text,
        "whole": _content(orjson.loads(whole.raw)),
        "streamed": _streamed(streamed),
        "blocked": whole.blocked if whole.blocked == stream.blocked else None,
    }


def _answer(text: str) -> Json:
    return {"choices": [{"index": 0, "message": {"content": text}, "finish_reason": "stop"}]}


def _chunk(delta: Json) -> bytes:
    return _event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


def _event(body: Json) -> bytes:
    return b"data: " + orjson.dumps(body) + b"\n\n"


def _content(body: Any) -> str:
    return str(body["choices"][0]["message"]["content"])


def _streamed(raw: bytes) -> str:
    events = [
        each.removeprefix(b"data: ") for each in raw.split(b"\n\n") if each not in (b"", b"data: [DONE]")
    ]
    deltas = (
        choice["delta"].get("content", "") for each in events for choice in orjson.loads(each)["choices"]
    )
    return "".join(deltas)
