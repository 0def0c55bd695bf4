"""Streams: never a restricted text out, never a clean one changed, wherever the cuts are."""

from __future__ import annotations

import itertools
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enforcement.filter import wire
from enforcement.filter.streaming import Stream, UnreadableError
from enforcement.patterns import hits
from tests.enforcement.filter.making import (
    Noted,
    chat,
    completions,
    events_of,
    filtered,
    guard,
    messages,
    responses,
    said,
    sse,
)

PHRASE = "red mercury"


def calls(*pieces):
    return chat(*([{"index": 0, "function": {"arguments": each}}] for each in pieces), field="tool_calls")


CALLED, THOUGHT = "response.function_call_arguments", "response.reasoning_summary_text"
APIS = {
    "chat": ("chat.completions", chat, "content"),
    "reasoning": ("chat.completions", partial(chat, field="reasoning_content"), "reasoning_content"),
    "refusal": ("chat.completions", partial(chat, field="refusal"), "refusal"),
    "tools": ("chat.completions", calls, "tool_calls"),
    "completions": ("completions", completions, "text"),
    "messages": ("messages", messages, "text"),
    "thinking": ("messages", partial(messages, kind="thinking"), "thinking"),
    "input_json": ("messages", partial(messages, kind="input_json"), "partial_json"),
    "responses": ("responses", responses, "delta"),
    "arguments": ("responses", partial(responses, kind=CALLED), "delta"),
    "summary": ("responses", partial(responses, kind=THOUGHT), "delta"),
}
every_api = pytest.mark.parametrize("api", APIS)


def halves(text):
    return [(text[:place], text[place:]) for place in range(1, len(text))]


@every_api
def test_a_phrase_split_over_deltas_never_comes_out_of_a_blocking_filter(api):
    endpoint, write, field = APIS[api]
    for before, (one, other) in itertools.product(("", "so "), halves(PHRASE)):
        raw = filtered(write(before, one, other, " and more"), [guard("block", PHRASE)], endpoint=endpoint)
        text = said(raw).get(field, "")

        assert before.startswith(text) or text == before
        assert PHRASE.encode() not in raw
        assert b"and more" not in raw


@every_api
def test_a_phrase_split_over_deltas_is_redacted_and_nothing_else(api):
    endpoint, write, field = APIS[api]
    for one, other in halves(f"a {PHRASE}\u200b b"):
        raw = filtered(write(one, other, " re", "d"), [guard("redact", PHRASE)], endpoint=endpoint)

        assert said(raw)[field] == "a [removed] b red"
        assert PHRASE.encode() not in raw


@every_api
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_a_clean_stream_is_not_changed_by_a_character(api, data):
    endpoint, write, field = APIS[api]
    pieces = data.draw(
        st.lists(st.text("redmcuy \u00e9\u0301\n\U0001f600", min_size=1, max_size=6), min_size=1, max_size=6)
    )
    raw = write(*pieces)
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=5))
    guards = [guard("block", "zzz zzz", "mer cury!"), guard("redact", "red mercury!", number=2)]

    out = filtered(raw, guards, endpoint=endpoint, cuts=cuts)

    assert said(out).get(field, "") == "".join(pieces)
    assert others(out) == others(raw)


def others(raw):
    """Give what the events say beside their texts: kinds, reasons to finish, figures, whole texts."""
    found = []
    for event in events_of(raw):
        reasons = [choice.get("finish_reason") for choice in event.get("choices", [])]
        rest = {name: value for name, value in event.items() if name not in ("choices", "sequence_number")}
        added = str(event.get("type")).endswith("delta") and event.get("type") != "message_delta"
        if not added and (any(reasons) or "choices" not in event or event.get("usage")):
            found.append((rest, reasons))
    return found


@every_api
def test_bytes_may_be_cut_anywhere(api):
    endpoint, write, field = APIS[api]
    raw = write("é😀 ", "red mer", "cury", " ü")
    whole = filtered(raw, [guard("redact", PHRASE)], endpoint=endpoint)
    for place in range(len(raw)):
        assert filtered(raw, [guard("redact", PHRASE)], endpoint=endpoint, cuts=[place]) == whole
    assert said(whole)[field] == "é😀 [removed] ü"


def test_a_stream_that_touches_no_pattern_comes_out_byte_by_byte():
    raw = b": hello\n\n" + chat("Hello", " world") + b"event: ping\r\ndata: {}\r\n\r\nid: 3\n\n"
    for place in range(len(raw)):
        assert filtered(raw, [guard("block", "zzz")], cuts=[place]) == raw


def test_what_cannot_begin_a_pattern_goes_out_at_once():
    stream_of = chat("Hello there")
    cut = stream_of.index(b"Hello there") + len(b'Hello there"}, "finish_reason": null}]}\n\n')

    out = filtered(stream_of[:cut], [guard("block", "there is")])

    assert said(out) == {"content": "Hello there"}  # nothing more came: what is held is flushed
    stream = Stream(wire.of("chat.completions"), [guard("block", "there is")], Noted().findings())
    assert said(stream.feed(stream_of[:cut])) == {"content": "Hello "}


def test_choices_do_not_mix():
    def chunk(number, text):
        return {"id": "c", "choices": [{"index": number, "delta": {"content": text}, "finish_reason": None}]}

    raw = sse(chunk(0, "red mer"), chunk(1, "cury"), chunk(0, "ry"), chunk(1, " red mercur"), chunk(0, " x"))
    out = events_of(filtered(raw, [guard("block", PHRASE)]))
    texts = {
        number: "".join(
            choice["delta"]["content"]
            for event in out
            for choice in event["choices"]
            if choice["index"] == number
        )
        for number in (0, 1)
    }

    assert texts == {0: "red merry x", 1: "cury red mercur"}


def test_a_blocked_chat_ends_cleanly():
    raw = filtered(chat("so red ", "mercury now"), [guard("block", PHRASE)])

    events = events_of(raw)
    assert said(raw) == {"content": "so "}
    assert events[-1]["choices"] == [{"index": 0, "delta": {}, "finish_reason": "content_filter"}]
    assert events[-1]["id"] == "chatcmpl-1"
    assert raw.endswith(b"data: [DONE]\n\n")


def test_a_blocked_response_ends_as_incomplete():
    events = events_of(
        filtered(responses("so red ", "mercury"), [guard("block", PHRASE)], endpoint="responses")
    )

    assert events[-1]["type"] == "response.incomplete"
    assert events[-1]["response"]["incomplete_details"] == {"reason": "content_filter"}
    numbers = [event["sequence_number"] for event in events]
    assert numbers == sorted(set(numbers))


def test_blocked_messages_end_with_a_refusal():
    events = events_of(
        filtered(messages("so red ", "mercury"), [guard("block", PHRASE)], endpoint="messages")
    )

    assert [event["type"] for event in events[-3:]] == ["content_block_stop", "message_delta", "message_stop"]
    assert events[-2]["delta"]["stop_reason"] == "refusal"


def test_numbers_of_responses_stay_in_order_when_a_held_end_is_added():
    raw = filtered(responses("so ", "red"), [guard("block", PHRASE)], endpoint="responses")
    numbers = [event["sequence_number"] for event in events_of(raw)]

    assert numbers == sorted(set(numbers))
    assert said(raw) == {"delta": "so red"}


@pytest.mark.parametrize("event", ["response.output_text.done", "response.completed", "a.kind.nobody.knows"])
def test_a_text_that_comes_whole_is_looked_into(event):
    raw = sse((event, {"type": event, "x": [{"text": f"so {PHRASE}"}]}), done=False)

    assert PHRASE.encode() not in filtered(raw, [guard("block", PHRASE)], endpoint="responses")
    redacted = filtered(raw, [guard("redact", PHRASE)], endpoint="responses")
    assert events_of(redacted)[0]["x"] == [{"text": "so [removed]"}]


def test_a_flag_changes_nothing_and_is_told_once():
    noted, raw = Noted(), chat("a red", " mercury red mercury")

    assert filtered(raw, [guard("flag", PHRASE)], noted=noted) == raw
    assert noted == [("COR-0001.1", "flagged")]


@pytest.mark.parametrize("action", ["block", "redact", "flag"])
def test_a_dry_run_changes_nothing_and_counts(action):
    noted, raw = Noted(), chat("a red", " mercury")

    assert filtered(raw, [guard(action, PHRASE, mode="shadow")], noted=noted) == raw
    assert noted == [("COR-0001.1", "shadow")]


def test_a_threshold_counts_different_patterns_and_not_the_same_again():
    guards = [guard("block", "red", "blue", threshold=2)]

    assert said(filtered(chat("red red red"), guards)) == {"content": "red red red"}
    assert b"content_filter" in filtered(chat("red and bl", "ue."), guards)


def test_tokens_told_beside_a_text_are_held_with_it():
    def chunk(text, *tokens):
        logprobs = {"content": [{"token": each, "logprob": -1} for each in tokens]}
        return {
            "choices": [{"index": 0, "delta": {"content": text}, "logprobs": logprobs, "finish_reason": None}]
        }

    clean = sse(chunk("so ", "so "), chunk("red ", "red "), chunk("merc", "merc"), chunk("x", "x"))
    out = filtered(clean, [guard("redact", PHRASE)])
    choices = [choice for event in events_of(out) for choice in event["choices"]]
    tokens = [each["token"] for choice in choices for each in choice["logprobs"]["content"]]
    assert tokens == ["so ", "red ", "merc", "x"]

    dirty = sse(chunk("so ", "so "), chunk("red ", "red "), chunk("mercury", "mercury"), chunk(" x", " x"))
    assert b"mercury" not in filtered(dirty, [guard("redact", PHRASE)])
    assert b"mercury" not in filtered(dirty, [guard("block", PHRASE)])


@pytest.mark.parametrize("data", [b"data: {\n\n", b"data: [1]\n\n", b"data: \xff\n\n", b'data: "x"\n\n'])
def test_what_nobody_can_read_does_not_pass(data):
    with pytest.raises(UnreadableError):
        filtered(chat("a") + data, [guard("block", "zzz")])


def test_data_over_several_lines_and_other_line_ends_are_read():
    raw = b'data: {"choices": [{"index": 0,\r\ndata: "delta": {"content": "red mercury"}}]}\r\n\r\n'

    assert said(filtered(raw, [guard("redact", PHRASE)])) == {"content": "[removed]"}


@given(
    st.lists(st.text("ab e\u00e9\u200d", min_size=1, max_size=4), min_size=1, max_size=6),
    st.lists(st.text("abe\u00e9", min_size=1, max_size=3), min_size=1, max_size=3, unique=True),
)
@settings(max_examples=150, deadline=None)
def test_no_pattern_ever_comes_out_of_a_redacting_filter(pieces, patterns):
    one = guard("redact", *patterns)
    out = said(filtered(chat(*pieces), [one])).get("content", "")
    left = [part for part in out.split("[removed]") if hits(one.compiled, part)]
    whole = "".join(pieces)

    assert left == []
    assert (out == whole) == (not hits(one.compiled, whole))
