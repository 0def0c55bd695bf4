"""Running streams end when the policy says so, and only those."""

from __future__ import annotations

import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from enforcement import policy
from tests.enforcement.filter.making import chat, events_of, said
from tests.enforcement.world import correction
from tests.patience import in_time, wait_for

LARGE = policy.Functionality(models=("large",))
HALT = policy.Halt()
TERM = chat("word ").split(b"\n\n")[1].decode() + "\n\n"
READERS = ThreadPoolExecutor(240)


def start(gate, *, endpoint="chat.completions", events=(TERM,), user="alice", **body):
    """Open a stream that goes on in silence; give what will be read of it, and when it ended."""
    wish = {"stream": True, "metadata": {"events": events, "then": "silence"}, **gate.said("-"), **body}
    connection, response = gate.open(wish, endpoint=endpoint, x_irapp_user=user)
    assert response.status == 200
    first = response.read1()

    def read():
        raw = first
        try:
            while piece := response.read1():
                raw += piece
        except (http.client.HTTPException, OSError):
            raw += b"broken"
        response.close()
        connection.close()
        return raw, time.monotonic()

    return READERS.submit(read)


def ended(stream):
    raw, _ = stream.result(30)
    return raw


@pytest.mark.parametrize("endpoint", ["chat.completions", "completions", "responses", "messages"])
def test_a_halt_ends_a_silent_stream_with_an_error_and_closes_it(gate, upstream, endpoint):
    stream = start(gate, endpoint=endpoint)
    gate.enforce(correction(1, HALT, functionality=LARGE))

    raw = ended(stream)
    last = events_of(raw)[-1]
    assert last["error"]["code"] == "inference_halted"
    assert last["error"]["correction"] == "COR-0001.1"
    assert last.get("type") == ("error" if endpoint in ("responses", "messages") else None)
    assert raw.startswith(TERM.encode())
    wait_for(lambda: upstream.broken >= 1)


def test_the_last_event_stands_behind_whole_events(gate):
    stream = start(gate, events=(TERM, 'data: {"half": '))
    gate.enforce(correction(1, HALT, functionality=LARGE))

    assert [set(event) for event in events_of(ended(stream))][-1] == {"error"}


def test_a_stream_under_a_filter_ends_too_and_keeps_what_was_held(gate):
    held = gate.filter(policy.OutputFilter, "word of honour", number=7)
    gate.enforce(held)
    stream = start(gate, events=(TERM, TERM))
    gate.enforce(held, correction(1, HALT, functionality=LARGE))

    raw = ended(stream)
    assert said(raw) == {"content": "word "}
    assert events_of(raw)[-1]["error"]["code"] == "inference_halted"


@pytest.mark.parametrize(
    ("effect", "more", "ends"),
    [
        (policy.Suspend(), {"functionality": LARGE, "running_streams": "end"}, True),
        (policy.Suspend(), {"functionality": LARGE}, False),
        (policy.Block(), {"users": policy.Users(users=("alice",)), "running_streams": "end"}, True),
        (policy.Block(), {"users": policy.Users(users=("bob",)), "running_streams": "end"}, False),
        (policy.ToolsOff(), {"running_streams": "end"}, False),
        (policy.FeatureOff(features=("streaming",)), {"running_streams": "end"}, True),
        (policy.OutputCap(max_tokens=5), {"running_streams": "end"}, True),
        (HALT, {"functionality": LARGE, "mode": "shadow"}, False),
        (HALT, {"functionality": policy.Functionality(models=("small",))}, False),
        (HALT, {"functionality": LARGE, "users": policy.Users(organisations=("bob",))}, False),
    ],
)
def test_a_stream_ends_exactly_where_the_decision_says_so(gate, effect, more, ends):
    stream = start(gate)
    gate.enforce(correction(1, effect, **more))

    if ends:
        assert "error" in events_of(ended(stream))[-1]
        return
    time.sleep(0.4)
    assert not stream.done()
    gate.enforce(correction(2, HALT, functionality=LARGE))
    ended(stream)


def test_a_correction_that_was_there_before_does_not_end_a_stream(gate):
    cap = correction(1, policy.OutputCap(max_tokens=5), running_streams="end")
    gate.enforce(cap)
    stream = start(gate)
    gate.enforce(cap, correction(3, policy.OutputCap(max_tokens=9)))

    time.sleep(0.4)
    assert not stream.done()
    gate.enforce(correction(2, HALT, functionality=LARGE))
    assert events_of(ended(stream))[-1]["error"]["correction"] == "COR-0002.1"


def test_an_exemption_spares_a_stream(gate):
    spared, other = start(gate), start(gate, user="bob")
    users = policy.Users(users=("alice",))
    exempt = correction(2, policy.Exempt(corrections=("COR-0001",)), users=users)
    gate.enforce(correction(1, HALT, functionality=LARGE), exempt)

    ended(other)
    time.sleep(0.4)
    assert not spared.done()
    gate.enforce(correction(1, HALT, functionality=LARGE))
    ended(spared)


def test_a_stream_that_was_rerouted_ends_with_the_model_that_answers(gate):
    gate.enforce(correction(1, policy.Reroute(fallback_model="small"), functionality=LARGE))
    stream = start(gate)
    gate.enforce(correction(2, HALT, functionality=policy.Functionality(models=("small",))))

    assert events_of(ended(stream))[-1]["error"]["correction"] == "COR-0002.1"


@pytest.mark.parametrize("field", ["starts_at", "grace_until"])
def test_a_time_that_comes_ends_streams_without_a_new_policy(gate, field):
    stream, soon = start(gate), datetime.now(UTC) + timedelta(seconds=0.8)
    gate.enforce(correction(1, HALT, functionality=LARGE, **{field: soon}))
    known = datetime.now(UTC)

    _, at = stream.result(30)
    then = datetime.now(UTC) - timedelta(seconds=time.monotonic() - at)
    assert then >= soon
    in_time((then - max(soon, known)).total_seconds(), 0.5, told="the end of the stream")


def test_a_stream_that_has_not_begun_is_refused(gate, upstream):
    waiting = READERS.submit(gate.ask, {**gate.said("-"), "stream": True, "metadata": {"wait": 30}})
    wait_for(lambda: upstream.requests)
    gate.enforce(correction(1, HALT, functionality=LARGE))

    reply = waiting.result(20)
    assert (reply.status, reply.code) == (503, "inference_halted")


@pytest.mark.parametrize("field", ["starts_at", None])
def test_a_halt_that_comes_between_the_decision_and_the_model_ends_the_request(gate, upstream, field):
    effect = policy.Classifier(name="toxic", timeout_ms=10_000, on_failure="allow")
    judged, upstream.score = correction(7, effect), "held"
    soon = datetime.now(UTC) + timedelta(seconds=2)
    halt = correction(1, HALT, functionality=LARGE, **({field: soon} if field else {}))
    gate.enforce(judged, *([halt] if field else []))
    waiting = READERS.submit(gate.ask, gate.said("-"))
    wait_for(lambda: upstream.asked)
    if field:
        wait_for(lambda: datetime.now(UTC) > soon)
    else:
        gate.enforce(judged, halt)
    upstream.score = 0.0

    reply = waiting.result(20)

    assert (reply.status, reply.code) == (503, "inference_halted")
    assert upstream.requests == []


def test_a_reader_who_leaves_frees_the_model(gate, upstream):
    connection, response = gate.open({"stream": True, "metadata": {"events": [TERM], "then": "silence"}})
    response.read1()
    response.close()
    connection.close()

    wait_for(lambda: upstream.broken >= 1)


def test_a_hundred_streams_of_the_scope_end_within_two_seconds_and_the_others_run_on(gate):
    inside = [start(gate) for _ in range(100)]
    beside = [start(gate, model="small") for _ in range(20)]
    began = time.monotonic()
    gate.enforce(correction(1, HALT, functionality=LARGE))

    ends = [stream.result(30) for stream in inside]
    in_time(max(at for _, at in ends) - began, 2, told="the end of a hundred streams")
    assert all(events_of(raw)[-1]["error"]["code"] == "inference_halted" for raw, _ in ends)
    assert not any(stream.done() for stream in beside)
    gate.enforce(correction(1, HALT, functionality=policy.Functionality(models=("small",))))
    assert all(ended(stream) for stream in beside)
