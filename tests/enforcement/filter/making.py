"""Guards, streams and their texts for the tests of the filter."""

from __future__ import annotations

import json
from itertools import pairwise

from enforcement import policy
from enforcement.filter import wire
from enforcement.filter.guards import Findings, Guard
from enforcement.filter.streaming import Stream
from tests.enforcement.patterns.making import made
from tests.enforcement.world import correction

REF = policy.PatternsRef(attachment="sha256:" + "0" * 64, name="tests", version=1)


def guard(
    action="block", *texts, regexes=(), threshold=1, number=1, mode="enforce", kind=policy.OutputFilter
):
    effect = kind(patterns=REF, action=action, threshold=threshold)
    return Guard(correction(number, effect, mode=mode), made(*texts, regexes=regexes))


class Noted(list):
    """What findings told."""

    def findings(self):
        return Findings(lambda item, what: self.append((item.id, what)))


def sse(*events, done=True):
    """Write events; a pair is a name and an event."""
    raw = b""
    for each in events:
        name, event = each if isinstance(each, tuple) else ("", each)
        raw += (
            (f"event: {name}\n".encode() if name else b"") + b"data: " + json.dumps(event).encode() + b"\n\n"
        )
    return raw + (b"data: [DONE]\n\n" if done else b"")


def chat(*pieces, field="content", finish="stop"):
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}

    def chunk(delta, reason=None):
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    deltas = [chunk({field: piece}) for piece in pieces]
    usage = {**head, "choices": [], "usage": {"total_tokens": 3}}
    return sse(chunk({"role": "assistant", "content": ""}), *deltas, chunk({}, finish), usage)


def completions(*pieces):
    chunks = [{"id": "c", "choices": [{"index": 0, "text": each, "finish_reason": None}]} for each in pieces]
    return sse(*chunks, {"id": "c", "choices": [{"index": 0, "text": "", "finish_reason": "stop"}]})


def messages(*pieces, kind="text"):
    name = {"text": "text", "thinking": "thinking", "input_json": "partial_json"}[kind]
    tool = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    block = tool if kind == "input_json" else {"type": kind, name: ""}
    message = {"id": "m", "type": "message", "content": [], "usage": {"output_tokens": 1}}
    deltas = [{"type": f"{kind}_delta", name: each} for each in pieces]
    events = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": each} for each in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    ]  # fmt: skip
    return sse(*((each["type"], each) for each in events), done=False)


def responses(*pieces, kind="response.output_text"):
    place = {"item_id": "i", "output_index": 0, "content_index": 0}
    last = {"arguments" if "arguments" in kind else "text": "".join(pieces)}
    begun = {"id": "r", "object": "response", "status": "in_progress", "output": []}
    part = {"type": "output_text", "text": "".join(pieces)}
    item = {"type": "message", "id": "i", "content": [part]}
    events = [
        {"type": "response.created", "response": begun},
        *({"type": f"{kind}.delta", **place, "delta": each} for each in pieces),
        {"type": f"{kind}.done", **place, **last},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {**begun, "status": "completed", "output": [item]}},
    ]  # fmt: skip
    return sse(*((each["type"], {**each, "sequence_number": n}) for n, each in enumerate(events)), done=False)


def filtered(raw, guards, *, endpoint="chat.completions", cuts=(), noted=None):
    """Send a stream through, cut at these bytes."""
    stream = Stream(wire.of(endpoint), guards, (Noted() if noted is None else noted).findings())
    ends = [0, *sorted(cuts), len(raw)]
    out = b"".join(stream.feed(raw[start:end]) for start, end in pairwise(ends))
    return out if stream.blocked else out + stream.finish()


def events_of(raw):
    found = []
    for block in raw.decode().split("\n\n"):
        data = [line.removeprefix("data: ") for line in block.split("\n") if line.startswith("data: ")]
        found += [json.loads(each) for each in data if each != "[DONE]"]
    return found


def said(raw):
    """Give all the text of a stream, whatever its API, by field."""
    texts: dict[str, str] = {}
    for event in events_of(raw):
        delta = event.get("delta")
        parts = [("delta", delta)] if isinstance(delta, str) else [*_parts(event), *(delta or {}).items()]
        for name, value in parts:
            if value and name not in ("role", "type", "stop_reason", "stop_sequence"):
                texts[name] = texts.get(name, "") + value
    return texts


def _parts(event):
    for choice in event.get("choices", []):
        yield "text", choice.get("text")
        for name, value in choice.get("delta", {}).items():
            tools = value if name == "tool_calls" else []
            yield name, "".join(call["function"].get("arguments", "") for call in tools) if tools else value
