"""Streams, times, counts and changes at a real gateway."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest

from enforcement import policy
from tests.enforcement.clocks import followed, kept_within_a_second
from tests.enforcement.world import correction
from tests.patience import PatienceError, in_time, wait_for

LARGE, SMALL = {"model": "aurora-large"}, {"model": "aurora-small"}
SHELL = [{"type": "function", "function": {"name": "shell"}}]
ALICE = policy.Users(users=("alice",))


def scope(**names):
    return policy.Functionality(**names)


@contextmanager
def held_stream(world):
    """Give an answer of which the model has sent the first piece, and sends no more before it is told to."""
    world.servers.hold()
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=60)
    body = json.dumps({**LARGE, "stream": True, "held": True})
    headers = {"authorization": "Bearer sk-demo-bob", "content-type": "application/json"}
    try:
        connection.request("POST", "/v1/chat/completions", body=body, headers=headers)
        yield connection.getresponse()
    finally:
        connection.close()
        world.servers.go_on()


@pytest.mark.parametrize("capped", [False, True])
def test_a_stream_arrives_piece_by_piece(world, capped):
    world.enforce(*([correction(1, policy.OutputCap(max_tokens=20))] if capped else []))

    with held_stream(world) as response:
        first = response.read1(100)
        world.servers.go_on()
        rest = response.read()

    assert (first, rest.endswith(b"data: [DONE]\n\n")) == (b"data: 0\n\n", True)


def test_a_shadow_correction_counts_and_refuses_nobody(world):
    world.enforce(correction(31, policy.Block(), users=ALICE, mode="shadow"))

    assert world.ask("alice", LARGE).status == 200
    found = wait_for(lambda: counted(world, "COR-0031.1"))
    assert (found["state"], found["refused"]) == ("shadow", 1)


def counted(world, name):
    found = world.report()["corrections"].get(name)
    return found if found and found["refused"] else None


def test_refusals_are_counted_and_traffic_is_told_without_content_or_probes(world):
    world.enforce(correction(32, policy.Block(), users=ALICE))

    said = {**LARGE, "messages": [{"role": "user", "content": "secret words"}]}
    world.ask("alice", said, path="/v1/messages")
    world.ask(
        "bob", {**said, "tools": SHELL, "max_tokens": 7, "stream": True, "pause": 0}, path="/v1/messages"
    )

    records = wait_for(lambda: sent_to_messages(world))
    wait_for(lambda: counted(world, "COR-0032.1"))
    assert [(one["user"], one["status"], one["correction"]) for one in records] == [
        ("alice", 403, "COR-0032.1"),
        ("bob", 200, None),
    ]
    assert (records[1]["tools"], records[1]["max_tokens"], records[1]["stream"]) == (["shell"], 7, True)
    assert "secret" not in json.dumps(records)


def sent_to_messages(world):
    found = [one for one in world.servers.traffic if one["endpoint"] == "messages"]
    return found if len(found) > 1 else None


def test_start_and_end_are_kept_without_a_hub(world):
    begins, ends = timed(world)
    world.servers.stop_hub()
    try:
        seen = followed(world, "alice", until=ends + timedelta(seconds=1.1))
    finally:
        world.servers.start_hub()

    kept_within_a_second(seen, begins, ends)


def timed(world):
    """Block alice for a while that has not begun when every gateway knows of it."""
    for lead in (1, 5, 20):
        begins = datetime.now(UTC) + timedelta(seconds=lead)
        ends = begins + timedelta(seconds=2)
        block = correction(
            1, policy.Block(), users=ALICE, starts_at=begins, expires_at=ends, at_expiry="lift"
        )
        world.enforce(block)
        if datetime.now(UTC) < begins:
            return begins, ends
    raise PatienceError("no policy came before its time")


def test_a_held_expiry_goes_on_and_is_a_problem(world):
    ends = datetime.now(UTC) + timedelta(seconds=0.5)
    world.enforce(correction(1, policy.Block(), users=ALICE, expires_at=ends))

    wait_for(lambda: "expiry_held" in {one["code"] for one in world.report()["problems"]})

    assert world.ask("alice", LARGE).status == 403


@pytest.mark.parametrize("running", ["finish", "end"])
def test_running_streams_end_only_where_the_decision_says_so(world, running):
    world.enforce()
    with held_stream(world) as response:
        large = scope(models=("aurora-large",))
        world.enforce(correction(1, policy.Suspend(), functionality=large, running_streams=running))
        start = time.monotonic()
        if running == "finish":
            world.servers.go_on()
        ended = read_to_the_end(response).endswith(b"[DONE]\n\n")

    assert ended is (running == "finish")
    if running == "end":  # of itself it would never have ended
        in_time(time.monotonic() - start, 2, told="the end of the stream")
    assert world.ask("bob", LARGE).status == 503
    assert world.ask("bob", SMALL).status == 200


def read_to_the_end(response):
    raw = b""
    with suppress(http.client.IncompleteRead, ConnectionError):
        while piece := response.read1():
            raw += piece
    return raw


def test_a_new_client_and_a_new_model_are_taken_up_without_a_restart(world):
    pid = world.envoy_pid()
    world.enforce()
    for name, added in {
        "clients.json": {"key": "sk-demo-zoe", "key_id": "key-zoe", "user": "zoe", "organisation": "o"},
        "models.json": None,
    }.items():
        path = world.folder / name
        found = json.loads(path.read_text())
        if added:
            found.append({**added, "application": "a", "use_case": "u"})
        else:
            found["aurora-new"] = found["aurora-large"]
        path.write_text(json.dumps(found))

    wait_for(lambda: world.ask("zoe", {"model": "aurora-new"}).status == 200)
    assert world.envoy_pid() == pid
