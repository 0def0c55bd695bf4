"""What the filter does to requests and whole answers: a real process between the test and a model."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from enforcement import policy
from tests.enforcement.filter.upstream import answered
from tests.enforcement.patterns.making import pattern_set
from tests.enforcement.world import correction

PHRASE = "red mercury"
CALL = {"function": {"name": "f", "arguments": '{"a": "red\\u0020mercury"}'}}
PARTS = [{"type": "text", "text": "red mer"}, {"type": "text", "text": "cury"}]
TOOL_RESULT = {"type": "tool_result", "content": [{"type": "text", "text": PHRASE}]}
SCHEMA = {"type": "object", "properties": {"user": {"type": "string", "description": PHRASE}}}
DOCUMENT = {"type": "document", "source": {"type": "text", "data": PHRASE}}


def said(content, role="user", **more):
    return {"messages": [{"role": role, "content": content, **more}]}


INPUTS = {
    "chat": ("chat.completions", said(f"a {PHRASE}")),
    "earlier": (
        "chat.completions",
        {"messages": [*said(PHRASE, "assistant")["messages"], *said("-")["messages"]]},
    ),
    "parts": ("chat.completions", said(PARTS)),
    "system": ("chat.completions", said("RED  MERCURY", "system")),
    "arguments": ("chat.completions", said(None, "assistant", tool_calls=[CALL])),
    "result": ("chat.completions", said(PHRASE, "tool", tool_call_id="1")),
    "prompt": ("completions", {"prompt": PHRASE}),
    "prompts": ("completions", {"prompt": ["-", PHRASE]}),
    "suffix": ("completions", {"prompt": "-", "suffix": PHRASE}),
    "input": ("responses", {"input": PHRASE}),
    "items": (
        "responses",
        {"input": [{"role": "user", "content": [{"type": "input_text", "text": PHRASE}]}]},
    ),
    "instructions": ("responses", {"input": "-", "instructions": PHRASE}),
    "output": ("responses", {"input": [{"type": "function_call_output", "call_id": "1", "output": PHRASE}]}),
    "anthropic": ("messages", said([{"type": "text", "text": PHRASE}])),
    "anthropic system": ("messages", {"system": [{"type": "text", "text": PHRASE}], "messages": []}),
    "tool use": ("messages", said([{"type": "tool_use", "name": "f", "input": {"q": PHRASE}}], "assistant")),
    "tool result": ("messages", said([TOOL_RESULT])),
    "document": ("messages", said([DOCUMENT])),
    "description": ("chat.completions", {"tools": [{"function": {"name": "f", "description": PHRASE}}]}),
    "parameter": ("chat.completions", {"tools": [{"function": {"name": "f", "parameters": SCHEMA}}]}),
    "function": ("chat.completions", {"functions": [{"name": "f", "description": PHRASE}]}),
    "input schema": ("messages", {"tools": [{"name": "f", "input_schema": SCHEMA}]}),
    "grammar": ("responses", {"tools": [{"type": "custom", "format": {"definition": PHRASE}}]}),
    "format": ("responses", {"input": "-", "text": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
    "response format": ("chat.completions", {"response_format": {"json_schema": {"schema": SCHEMA}}}),
    "free member": ("messages", said([{"type": "tool_use", "input": {"a": [{"user": PHRASE}]}}])),
    "free address": ("messages", said([{"type": "tool_use", "input": {"url": PHRASE}}])),
    "free name": ("messages", said([{"type": "tool_use", "input": {PHRASE: 1}}])),
    "variables": ("responses", {"prompt": {"id": "p", "variables": {"detail": PHRASE}}}),
    "embeddings": ("embeddings", {"input": ["-", PHRASE]}),
    "token numbers": ("completions", {"prompt": [1, 2, 3]}),
    "lists of token numbers": ("embeddings", {"input": [[1, 2], [3]]}),
}


@pytest.mark.parametrize("name", INPUTS)
def test_a_restricted_input_is_refused_wherever_it_stands(gate, upstream, name):
    endpoint, body = INPUTS[name]
    gate.enforce(gate.filter(policy.InputFilter, PHRASE))

    reply = gate.ask(body, endpoint=endpoint)

    assert (reply.status, reply.code) == (403, "content_restricted")
    assert reply.headers["x-irapp-correction"] == "COR-0001.1"
    assert upstream.requests == []


def test_a_clean_input_reaches_the_model_unchanged(gate, upstream):
    gate.enforce(gate.filter(policy.InputFilter, PHRASE))
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,redmercury"}}
    body = {"model": "large", **gate.said("a red merc üry😀"), "seed": 2**60, "x": [picture]}

    assert gate.ask(body).status == 200
    assert upstream.requests[0]["body"] == body


def test_a_redacted_input_reaches_the_model_without_the_term(gate, upstream):
    gate.enforce(gate.filter(policy.InputFilter, PHRASE, action="redact"))
    parts = [{"type": "text", "text": "a red mer"}, {"type": "text", "text": "cury b"}]

    reply = gate.ask(
        {"messages": [{"role": "user", "content": parts}, {"role": "user", "content": f"x {PHRASE}"}]}
    )

    sent = upstream.requests[0]["body"]["messages"]
    assert sent[0]["content"] == [{"type": "text", "text": "a [removed]"}, {"type": "text", "text": " b"}]
    assert sent[1]["content"] == "x [removed]"
    assert reply.headers["x-irapp-correction"] == "COR-0001.1"


def test_names_and_members_of_a_free_object_are_redacted_in_their_place(gate, upstream):
    gate.enforce(gate.filter(policy.InputFilter, PHRASE, action="redact"))
    free = {PHRASE: {"detail": PHRASE}, f"a {PHRASE}": PHRASE, "text": "-"}

    gate.ask(said([{"type": "tool_use", "name": "f", "input": free}]), endpoint="messages")

    sent = upstream.requests[0]["body"]["messages"][0]["content"][0]["input"]
    assert list(sent.items()) == [
        ("[removed]", {"detail": "[removed]"}),
        ("a [removed]", "[removed]"),
        ("text", "-"),
    ]


def test_what_only_the_server_reads_of_a_tool_reaches_it(gate, upstream):
    gate.enforce(gate.filter(policy.InputFilter, PHRASE))
    tool = {"type": "mcp", "server_label": "x", "authorization": PHRASE, "headers": {"x": PHRASE}}

    assert gate.ask({"input": "-", "tools": [tool]}, endpoint="responses").status == 200


def test_a_flag_lets_pass_and_tells(gate, upstream):
    gate.enforce(
        gate.filter(policy.InputFilter, PHRASE, action="flag"),
        gate.filter(policy.InputFilter, PHRASE, number=2, mode="shadow"),
    )
    reply = gate.ask(gate.said(PHRASE))

    assert reply.status == 200
    assert (reply.headers["x-irapp-flagged"], reply.headers["x-irapp-shadow"]) == ("COR-0001.1", "COR-0002.1")
    assert [(each["correction"], each["what"]) for each in gate.events()] == [
        ("COR-0001.1", "flagged"),
        ("COR-0002.1", "shadow"),
    ]


def test_an_event_tells_attributes_and_no_content(gate):
    gate.enforce(gate.filter(policy.InputFilter, PHRASE))
    gate.ask(gate.said(PHRASE))

    (event,) = gate.events()
    assert datetime.fromisoformat(event["at"]).tzinfo is not None
    assert (event["where"], event["refused"], event["policy"]) == ("input", True, gate.version)
    assert event["request"] | {"body_bytes": 0} == {
        **dict.fromkeys(("user", "organisation", "key", "application", "use_case"), "alice"),
        "endpoint": "chat.completions",
        "model": "large",
        "body_bytes": 0,
        "turns": 1,
    }


@pytest.mark.parametrize("broken", ["missing", "other bytes", "no set", "bad pattern"])
def test_a_set_of_patterns_that_cannot_be_used_fails_closed(gate, upstream, broken):
    raw = {
        "missing": b"-",
        "other bytes": policy.canonical(pattern_set("zzz")),
        "no set": b"[]",
        "bad pattern": b'{"name":"x","patterns":[{"id":"a","kind":"regex","text":"a+"}],"version":1}',
    }[broken]
    address = policy.address(
        b"something" if broken == "missing" else b"else" if broken == "other bytes" else raw
    )
    if broken != "missing":
        (gate.folder / "attachments" / address.removeprefix("sha256:")).write_bytes(raw)
    ref = policy.PatternsRef(attachment=address, name="x", version=1)
    everybody = correction(
        1, policy.OutputFilter(patterns=ref), functionality=policy.Functionality(models=("large",))
    )
    gate.enforce(everybody)

    reply = gate.ask(gate.said("hello"))

    assert (reply.status, reply.code) == (503, "gateway_error")
    assert upstream.requests == []
    assert gate.ask({**gate.said("hello"), "model": "small"}).status == 200


def test_a_list_of_subjects_comes_from_its_attachment(gate):
    raw = policy.subject_list(["alice", "bob"])
    (gate.folder / "attachments" / policy.address(raw).removeprefix("sha256:")).write_bytes(raw)
    lists = (policy.SubjectList(of="user", attachment=policy.address(raw), count=2),)
    gate.enforce(correction(1, policy.Block(), users=policy.Users(lists=lists)))

    assert gate.ask(gate.said("hello")).status == 403
    assert gate.ask(gate.said("hello"), x_irapp_user="carol").status == 200


@pytest.mark.parametrize("packed", [None, "gzip"])
def test_a_restricted_answer_is_taken_out_of_every_choice(gate, packed):
    gate.enforce(gate.filter(policy.OutputFilter, PHRASE))
    reply = gate.ask(gate.said("-", metadata={"body": answered(f"so {PHRASE}"), "gzip": packed}))

    (choice,) = reply.body["choices"]
    assert (reply.status, choice["message"]["content"], choice["finish_reason"]) == (
        200,
        "",
        "content_filter",
    )
    assert reply.body["usage"] == {"total_tokens": 3}
    assert reply.headers["x-irapp-correction"] == "COR-0001.1"


def test_other_apis_end_restricted_answers_in_their_own_way(gate):
    gate.enforce(gate.filter(policy.OutputFilter, PHRASE))
    response = {
        "object": "response",
        "status": "completed",
        "output": [{"content": [{"type": "output_text", "text": PHRASE}]}],
    }
    message = {"type": "message", "content": [{"type": "text", "text": PHRASE}], "stop_reason": "end_turn"}

    def ask(endpoint, body):
        return gate.ask({"input": "-", "metadata": {"body": json.dumps(body)}}, endpoint=endpoint)

    reply = ask("responses", response)
    assert (reply.body["status"], reply.body["incomplete_details"], reply.body["output"]) == (
        "incomplete",
        {"reason": "content_filter"},
        [],
    )
    reply = ask("messages", message)
    assert (reply.body["content"], reply.body["stop_reason"]) == ([], "refusal")
    reply = ask("completions", {"choices": [{"index": 0, "text": PHRASE}]})
    assert reply.body["choices"][0] == {
        "index": 0,
        "text": "",
        "logprobs": None,
        "finish_reason": "content_filter",
    }
    reply = ask("completions", {"unheard": PHRASE})
    assert (reply.status, reply.code) == (403, "content_restricted")


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_an_answer_that_is_no_json_is_read_as_text(gate, kind):
    gate.enforce(gate.filter(policy.OutputFilter, PHRASE, action="redact"))

    dirty = gate.ask(gate.said("-", metadata={"body": f"{{ {PHRASE}", "type": kind, "status": 500}))
    clean = gate.ask(gate.said("-", metadata={"body": "{ fine", "type": kind, "status": 500}))

    assert (dirty.status, dirty.code) == (403, "content_restricted")
    assert (clean.status, clean.raw) == (500, b"{ fine")


def test_a_redacted_answer_loses_the_term_and_nothing_else(gate):
    gate.enforce(gate.filter(policy.OutputFilter, PHRASE, action="redact"))

    reply = gate.ask(gate.said("-", metadata={"body": answered(f"so {PHRASE}, ü")}))

    assert reply.body == json.loads(answered("so [removed], ü"))


def test_a_clean_answer_keeps_its_bytes(gate):
    gate.enforce(gate.filter(policy.OutputFilter, PHRASE))
    body = '{ "choices":[ {"message": {"content": "fine"}} ] , "n": 1.50 }'

    assert gate.ask(gate.said("-", metadata={"body": body})).raw == body.encode()


def test_an_answer_packed_in_an_unknown_way_does_not_pass(gate):
    gate.enforce(gate.filter(policy.OutputFilter, PHRASE))

    assert gate.ask(gate.said("-", metadata={"body": answered("x"), "gzip": "br"})).code == "gateway_error"


@pytest.mark.parametrize("hidden", ["previous_response_id", "conversation"])
@pytest.mark.parametrize(
    ("effect", "code"),
    [(policy.TurnLimit(turns=5), "turns_limited"), (policy.LoopCap(turns=5), "loop_restricted")],
)
def test_a_history_that_the_request_does_not_show_is_refused(gate, hidden, effect, code):
    gate.enforce(correction(1, effect))

    assert gate.ask({"input": "-"}, endpoint="responses").status == 200
    reply = gate.ask({"input": "-", hidden: "r_1"}, endpoint="responses")
    assert reply.code == code
    assert "send the conversation itself" in reply.body["error"]["message"]


def test_turns_and_steps_are_counted_from_the_conversation(gate):
    gate.enforce(correction(1, policy.TurnLimit(turns=2)), correction(2, policy.LoopCap(turns=1)))
    spoken, done = {"role": "user", "content": "-"}, {"role": "tool", "tool_call_id": "1", "content": "-"}

    assert gate.ask({"messages": [spoken, done, spoken]}).status == 200
    assert gate.ask({"messages": [spoken, spoken, spoken]}).code == "turns_limited"
    assert gate.ask({"messages": [spoken, done, done]}).code == "loop_restricted"


def test_a_downgrade_changes_the_model_and_an_organisation_has_its_own_fallback(gate, upstream):
    scope = policy.Functionality(models=("large",))
    gate.enforce(correction(1, policy.Downgrade(fallback_model="small"), functionality=scope))
    assert gate.ask(gate.said("-")).headers["x-irapp-correction"] == "COR-0001.1"
    assert upstream.requests[-1]["body"]["model"] == "small"

    fallbacks = (policy.CustomerFallback(organisation="alice", model="small"),)
    gate.enforce(correction(1, policy.Suspend(fallback_models=fallbacks), functionality=scope))
    assert gate.ask(gate.said("-")).status == 200
    assert upstream.requests[-1]["body"]["model"] == "small"
    assert gate.ask(gate.said("-"), x_irapp_organisation="other").code == "model_suspended"


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"prompt": ["a"] * 101}, 403, "output_restricted"),
        ({"prompt": "a", "n": "100"}, 400, "invalid_request"),
    ],
)
def test_answers_that_cannot_be_capped_are_refused(gate, more, status, code):
    gate.enforce(correction(1, policy.OutputCap(max_tokens=100)))

    reply = gate.ask(more, endpoint="completions")

    assert (reply.status, json.loads(reply.raw)["error"]["code"]) == (status, code)
