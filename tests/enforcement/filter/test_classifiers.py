"""Classifiers of others: their scores, their silence."""

from __future__ import annotations

import pytest

from enforcement import policy
from tests.enforcement.filter.making import chat, events_of, said
from tests.enforcement.filter.upstream import answered
from tests.enforcement.world import correction
from tests.patience import wait_for


def classifier(name="toxic", where="input", mode="enforce", **more):
    effect = policy.Classifier(name=name, where=where, timeout_ms=300, **more)
    return correction(1, effect, mode=mode)


@pytest.mark.parametrize(("score", "status"), [(0.49, 200), (0.5, 403), (1.0, 403)])
def test_a_score_from_the_threshold_on_is_refused(gate, upstream, score, status):
    upstream.score = score
    gate.enforce(classifier(threshold=50))

    reply = gate.ask(gate.said("how are you"))

    assert reply.status == status
    assert upstream.asked == [
        {
            "text": "how are you",
            "where": "input",
            "model": "large",
            "endpoint": "chat.completions",
            "authorization": "Bearer tok",
        }
    ]
    assert bool(upstream.requests) == (status == 200)


@pytest.mark.parametrize("silence", ["late", "nonsense", "unknown"])
@pytest.mark.parametrize(("on_failure", "status"), [("refuse", 403), ("allow", 200)])
def test_no_score_refuses_or_allows_as_decided(gate, upstream, silence, on_failure, status):
    upstream.score = silence
    gate.enforce(classifier("other" if silence == "unknown" else "toxic", on_failure=on_failure))

    assert gate.ask(gate.said("-")).status == status


def test_a_flag_and_a_dry_run_let_pass_and_count(gate, upstream):
    upstream.score = 0.9
    gate.enforce(classifier(action="flag"))
    assert gate.ask(gate.said("-")).headers["x-irapp-flagged"] == "COR-0001.1"
    gate.enforce(classifier(mode="shadow"))
    assert gate.ask(gate.said("-")).headers["x-irapp-shadow"] == "COR-0001.1"
    assert [event["what"] for event in gate.events()] == ["flagged", "shadow"]


def test_an_answer_is_classified_before_it_goes_out(gate, upstream):
    gate.enforce(classifier(where="output"))
    body = {"metadata": {"body": answered("so it is")}}

    assert gate.ask({**gate.said("-"), **body}).status == 200
    assert "so it is" in upstream.asked[0]["text"]
    upstream.score = 0.9
    assert gate.ask({**gate.said("-"), **body}).code == "content_restricted"


def test_a_stream_goes_out_window_by_window_once_it_is_cleared(gate, upstream):
    sentences = [f"This is sentence number {n}, which goes on and on for quite a while. " for n in range(40)]
    gate.enforce(classifier(where="output"))
    raw = chat(*sentences).decode()

    reply = gate.ask({**gate.said("-"), "stream": True, "metadata": {"events": [raw[:4000], raw[4000:]]}})

    assert reply.raw == raw.encode()
    assert len(upstream.asked) >= 2
    assert all(any(sentence in asked["text"] for asked in upstream.asked) for sentence in sentences)


def test_a_stream_that_is_not_cleared_ends_without_its_text(gate, upstream):
    upstream.score = 0.9
    gate.enforce(classifier(where="output"))

    reply = gate.ask({**gate.said("-"), "stream": True, "metadata": {"events": [chat("so it is").decode()]}})

    assert said(reply.raw) == {}
    assert events_of(reply.raw)[-1]["choices"][0]["finish_reason"] == "content_filter"


def test_a_flag_on_a_stream_never_holds_it_up(gate, upstream):
    upstream.score = 0.9
    gate.enforce(classifier(where="output", action="flag"))
    first = chat("so it is").split(b"\n\n")[0].decode() + "\n\n"

    connection, response = gate.open(
        {**gate.said("-"), "stream": True, "metadata": {"events": [first, chat("x").decode()], "pause": 0.3}}
    )
    assert response.read1() == first.encode()
    response.read()
    response.close()
    connection.close()
    wait_for(lambda: [event["what"] for event in gate.events()] == ["flagged"])
