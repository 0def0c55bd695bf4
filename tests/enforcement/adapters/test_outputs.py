"""Filters of the output at the real LiteLLM proxy: answers in one piece, and streams cut at every byte."""

import pytest

from enforcement import policy
from tests.enforcement.adapters.echo import script
from tests.enforcement.adapters.proxy import MOCKED, correction, patterns

PHRASE, TEXT = "nova-bomb", "The nova-bomb and bread."
APIS = {
    "/v1/chat/completions": "echo",
    "/v1/completions": "echo-text",
    "/v1/responses": "echo",
    "/v1/messages": "echo-messages",
}
TRANSLATED = {**APIS, "/v1/messages ": "echo"}
"""The last one: LiteLLM itself makes messages of a chat."""


@pytest.fixture
def output(proxy):
    """Put a filter of the output into force; give its report."""

    def enforce(text=PHRASE, /, *, mode="enforce", **more):
        raw, reference = patterns(text)
        item = correction(1, policy.OutputFilter(patterns=reference, **more), mode=mode)
        return proxy.enforce(item, attached=[raw])

    return enforce


def ask(proxy, path, *pieces, stream=False, field="content", who="alice"):
    said = script(*pieces, field=field)
    body = {"max_tokens": 50, "messages": [{"role": "user", "content": said}]}
    if path == "/v1/responses":
        body = {"input": said}
    if path == "/v1/completions":
        body = {"prompt": said}
    return proxy.ask(who, TRANSLATED[path], path=path.strip(), **body, **({"stream": True} if stream else {}))


def said(path, answer):
    """Give the text of an answer, whole or streamed."""
    if answer.raw.startswith((b"data:", b"event:")):
        return "".join(_delta(path.strip(), event) for event in answer.events)
    body = answer.json
    match path.strip():
        case "/v1/responses":
            return "".join(part["text"] for item in body["output"] for part in item["content"])
        case "/v1/messages":
            return "".join(part["text"] for part in body["content"])
        case "/v1/completions":
            return body["choices"][0]["text"]
    return body["choices"][0]["message"]["content"]


def _delta(path, event):
    if path == "/v1/responses":
        return event["delta"] if event["type"] == "response.output_text.delta" else ""
    if path == "/v1/messages":
        return event["delta"].get("text", "") if event["type"] == "content_block_delta" else ""
    choice = (event.get("choices") or [{}])[0]
    return choice.get("text") or choice.get("delta", {}).get("content") or ""


def ending(path, answer):
    """Give how an answer says that it was ended."""
    streamed = answer.raw.startswith((b"data:", b"event:"))
    match path.strip():
        case "/v1/responses":
            body = answer.events[-1]["response"] if streamed else answer.json
            return (body.get("incomplete_details") or {}).get("reason")
        case "/v1/messages":
            bodies = [event["delta"] for event in answer.events if event["type"] == "message_delta"]
            return bodies[-1]["stop_reason"] if streamed else answer.json["stop_reason"]
    body = answer.events[-1] if streamed else answer.json
    return body["choices"][0]["finish_reason"]


def splits(text, phrase):
    """Cut a text at every byte of a phrase in it, and into its characters."""
    start = text.index(phrase)
    yield from ((text[:at], text[at:]) for at in range(start, start + len(phrase) + 1))
    yield tuple(text)


@pytest.mark.parametrize("path", TRANSLATED)
def test_a_restricted_answer_is_withheld_in_the_form_of_its_api(proxy, output, path):
    report = output()

    blocked, clean = ask(proxy, path, TEXT), ask(proxy, path, "The bread.")

    assert blocked.status == 200, blocked.raw
    assert said(path, blocked) == ""
    assert PHRASE not in blocked.raw.decode()
    assert ending(path, blocked) in {"content_filter", "refusal"}
    assert blocked.headers["x-irapp-correction"] == "COR-0001.1"
    assert said(path, clean) == "The bread."
    assert "x-irapp-correction" not in clean.headers
    seen = report["corrections"]["COR-0001.1"]
    assert (seen["state"], seen["verified"], seen["detail"]) == ("in_force", True, ""), seen


@pytest.mark.parametrize("path", TRANSLATED)
def test_a_stream_cut_at_every_byte_of_a_pattern_never_leaks_it(proxy, output, path):
    output()

    for pieces in splits(TEXT, PHRASE):
        answer = ask(proxy, path, *pieces, stream=True)

        assert said(path, answer) == "The ", (pieces, answer.raw)
        assert "bomb" not in answer.raw.decode()
        assert ending(path, answer) in {"content_filter", "refusal"}, answer.raw
        assert answer.raw.count(b"[DONE]") <= 1


@pytest.mark.parametrize("path", TRANSLATED)
def test_a_redaction_leaves_the_rest_in_answers_and_streams(proxy, output, path):
    report = output(action="redact")

    whole = ask(proxy, path, TEXT)
    streams = [ask(proxy, path, *pieces, stream=True) for pieces in splits(TEXT, PHRASE)]

    expected = "The [removed] and bread."
    assert said(path, whole) == expected
    assert whole.headers["x-irapp-correction"] == "COR-0001.1"
    assert {said(path, each) for each in streams} == {expected}
    assert not [each.raw for each in streams if b"bomb" in each.raw]
    assert report["corrections"]["COR-0001.1"]["verified"], report


@pytest.mark.parametrize("path", TRANSLATED)
def test_a_flag_and_a_dry_run_let_everything_pass(proxy, output, path):
    reports = []
    for more in ({"action": "flag"}, {"mode": "shadow"}):
        reports.append(output(**more))
        whole, stream = ask(proxy, path, TEXT), ask(proxy, path, *TEXT, stream=True)

        assert said(path, whole) == said(path, stream) == TEXT
        name = "x-irapp-flagged" if "action" in more else "x-irapp-shadow"
        assert whole.headers[name] == "COR-0001.1"
    assert all(each["corrections"]["COR-0001.1"]["verified"] for each in reports)


@pytest.mark.parametrize("path", TRANSLATED)
def test_a_clean_answer_is_not_changed(proxy, output, path):
    pieces = ("The nov", "el nova", "-bo", "y, and 日本.")
    proxy.enforce()
    before = [ask(proxy, path, *pieces, stream=stream) for stream in (False, True)]
    output()
    after = [ask(proxy, path, *pieces, stream=stream) for stream in (False, True)]

    assert [said(path, each) for each in after] == ["".join(pieces)] * 2
    assert keys(after[0].json) == keys(before[0].json)
    assert [ending(path, each) for each in after] == [ending(path, each) for each in before]


def keys(value):
    if isinstance(value, dict):
        return {name: keys(inner) for name, inner in value.items()}
    return [keys(inner) for inner in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("field", ["reasoning_content", "arguments"])
def test_what_is_no_content_is_looked_into_too(proxy, output, field):
    output()

    for pieces in splits(TEXT, PHRASE):
        answer = ask(proxy, "/v1/chat/completions", *pieces, stream=True, field=field)

        assert "bomb" not in answer.raw.decode()
        assert ending("/v1/chat/completions", answer) == "content_filter", answer.raw
    assert PHRASE not in ask(proxy, "/v1/chat/completions", TEXT, field=field).raw.decode()


def test_answers_that_litellm_makes_up_are_looked_into(proxy, output):
    output("four five")

    whole, stream = proxy.ask("alice", "mocked"), proxy.ask("alice", "mocked", stream=True)

    assert "four five" in MOCKED
    assert whole.json["choices"][0]["finish_reason"] == "content_filter"
    text = "".join(_delta("", event) for event in stream.events)
    assert text == "One two three "
    assert ending("", stream) == "content_filter"


def test_a_changed_stream_speaks_in_the_name_that_was_asked_for(proxy, output):
    output(action="redact")

    answer = ask(proxy, "/v1/completions", *TEXT, stream=True)

    assert {event["model"] for event in answer.events} == {"echo-text"}


def test_a_filter_of_one_caller_does_not_concern_another(proxy):
    raw, reference = patterns(PHRASE)
    item = correction(1, policy.OutputFilter(patterns=reference), users=policy.Users(users=("alice",)))
    proxy.enforce(item, attached=[raw])

    answers = [ask(proxy, "/v1/chat/completions", TEXT, who=who) for who in ("alice", "bob")]

    assert [said("/v1/chat/completions", each) for each in answers] == ["", TEXT]


def test_embeddings_say_nothing_and_pass(proxy, output):
    output()

    answer = proxy.ask("alice", "embedder", path="/v1/embeddings", input="Hello")

    assert answer.status == 200
    assert answer.json["data"][0]["embedding"]
