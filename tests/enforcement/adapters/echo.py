"""A model that says what it is told to: the last message is a script, ``{"pieces": [...], "in": field}``."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

HEAD = {"id": "chatcmpl-1", "created": 1_700_000_000, "model": "echo"}
USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


def script(*pieces, field="content", pause=0.0):
    return json.dumps({"pieces": pieces, "in": field, "pause": pause})


async def answered(request, body):
    told = _script(body)
    wire = {"/v1/messages": _Messages, "/v1/responses": _Responses, "/v1/completions": _Texts}
    made = wire.get(request.path, _Chat)(told["in"])
    if not body.get("stream"):
        return web.json_response(made.whole("".join(told["pieces"])))
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    for event in (*made.begin(), *map(made.piece, told["pieces"]), *made.end("".join(told["pieces"]))):
        name = f"event: {event['type']}\n" if "type" in event else ""
        await response.write(f"{name}data: {json.dumps(event)}\n\n".encode())
        await asyncio.sleep(told["pause"])
    if made.done:
        await response.write(b"data: [DONE]\n\n")
    return response


def _script(body):
    said = body.get("prompt") or body.get("input") or body["messages"]
    while not isinstance(said, str):
        said = said[-1].get("content", said[-1].get("text")) if isinstance(said[-1], dict) else said[-1]
    return json.loads(said)


def _added(field, piece):
    if field == "arguments":
        return {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
    return {field: piece}


class _Chat:
    done = True

    def __init__(self, field):
        self.field = field

    def _event(self, delta, reason=None):
        choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
        return {**HEAD, "object": "chat.completion.chunk", "choices": choices}

    def begin(self):
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
        more = {"tool_calls": [call]} if self.field == "arguments" else {}
        return [self._event({"role": "assistant", **more})]

    def piece(self, text):
        return self._event(_added(self.field, text))

    def end(self, _text):
        return [self._event({}, "stop")]

    def whole(self, text):
        message = {"role": "assistant", "content": None, **_added(self.field, text)}
        for call in message.get("tool_calls", ()):
            call.update(id="call_1", type="function")
            call["function"]["name"] = "f"
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        return {**HEAD, "object": "chat.completion", "choices": choices, "usage": USAGE}


class _Texts(_Chat):
    def _event(self, text, reason=None):
        choices = [{"index": 0, "text": text, "finish_reason": reason, "logprobs": None}]
        return {**HEAD, "object": "text_completion", "choices": choices}

    def begin(self):
        return []

    def piece(self, text):
        return self._event(text)

    def end(self, _text):
        return [self._event("", "stop")]

    def whole(self, text):
        return {**self._event(text, "stop"), "usage": USAGE}


class _Messages:
    done = False

    def __init__(self, _field):
        self._message = {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "echo", "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 1},
        }  # fmt: skip

    def begin(self):
        block = {"type": "text", "text": ""}
        return [
            {"type": "message_start", "message": self._message},
            {"type": "content_block_start", "index": 0, "content_block": block},
        ]

    def piece(self, text):
        delta = {"type": "text_delta", "text": text}
        return {"type": "content_block_delta", "index": 0, "delta": delta}

    def end(self, _text):
        delta = {"stop_reason": "end_turn", "stop_sequence": None}
        return [
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 5}},
            {"type": "message_stop"},
        ]

    def whole(self, text):
        content = [{"type": "text", "text": text}]
        return {**self._message, "content": content, "stop_reason": "end_turn"}


class _Responses:
    done = False

    def __init__(self, _field):
        self._number = -1

    def _event(self, kind, **more):
        self._number += 1
        return {"type": f"response.{kind}", "sequence_number": self._number, **more}

    def _response(self, status, output):
        usage = {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8,
                 "input_tokens_details": {"cached_tokens": 0},
                 "output_tokens_details": {"reasoning_tokens": 0}}  # fmt: skip
        return {
            "id": "resp_1", "object": "response", "created_at": 1_700_000_000, "model": "echo",
            "status": status, "output": output, "error": None, "incomplete_details": None,
            "instructions": None, "metadata": {}, "parallel_tool_calls": True, "temperature": 1.0,
            "tool_choice": "auto", "tools": [], "top_p": 1.0, "usage": usage if output else None,
        }  # fmt: skip

    def _item(self, status, *texts):
        content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
        return {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": content}

    def begin(self):
        part = {"type": "output_text", "text": "", "annotations": []}
        return [
            self._event("created", response=self._response("in_progress", [])),
            self._event("output_item.added", output_index=0, item=self._item("in_progress")),
            self._event("content_part.added", **self._place, part=part),
        ]

    _place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}

    def piece(self, text):
        return self._event("output_text.delta", **self._place, delta=text)

    def end(self, text):
        item = self._item("completed", text)
        return [
            self._event("output_text.done", **self._place, text=text),
            self._event("content_part.done", **self._place, part=item["content"][0]),
            self._event("output_item.done", output_index=0, item=item),
            self._event("completed", response=self._response("completed", [item])),
        ]

    def whole(self, text):
        return self._response("completed", [self._item("completed", text)])
