"""Streams, times, counts and changes at a real gateway."""

from __future__ import annotations

import http.client
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from enforcement import policy
from tests.enforcement.world import correction
from tests.patience import wait_for

LARGE, SMALL = {"model": "aurora-large"}, {"model": "aurora-small"}
SHELL = [{"type": "function", "function": {"name": "shell"}}]
ALICE = policy.Users(users=("alice",))


def scope(**names):
    return policy.Functionality(**names)


@pytest.mark.parametrize("capped", [False, True])
def test_a_stream_arrives_piece_by_piece(world, capped):
    world.enforce(*([correction(1, policy.OutputCap(max_tokens=20))] if capped else []))
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=20)
    body = json.dumps({**LARGE, "stream": True, "chunks": 4, "pause": 0.2})
    headers = {"authorization": "Bearer sk-demo-bob", "content-type": "application/json"}

    connection.request("POST", "/v1/chat/completions", body=body, headers=headers)
    response, start = connection.getresponse(), time.monotonic()
    first, at = response.read1(100), time.monotonic() - start
    rest = response.read()
    connection.close()

    assert (first, rest.endswith(b"data: [DONE]\n\n")) == (b"data: 0\n\n", True)
    assert at < 0.4 < time.monotonic() - start


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


def test_start_and_end_are_kept_to_the_second_without_a_hub(world):
    now = datetime.now(UTC)
    starts, ends = now + timedelta(seconds=1), now + timedelta(seconds=2)
    timed = correction(1, policy.Block(), users=ALICE, starts_at=starts, expires_at=ends, at_expiry="lift")
    world.enforce(timed)
    world.servers.stop_hub()
    try:
        refused = [
            moment for moment, status in statuses(world, ends + timedelta(seconds=0.5)) if status == 403
        ]
    finally:
        world.servers.start_hub()

    assert abs((refused[0] - starts).total_seconds()) < 0.2
    assert abs((refused[-1] - ends).total_seconds()) < 0.2


def statuses(world, until):
    while (moment := datetime.now(UTC)) < until:
        yield moment, world.ask("alice", LARGE).status
        time.sleep(0.01)


def test_a_held_expiry_goes_on_and_is_a_problem(world):
    ends = datetime.now(UTC) + timedelta(seconds=0.5)
    world.enforce(correction(1, policy.Block(), users=ALICE, expires_at=ends))

    wait_for(lambda: "expiry_held" in {one["code"] for one in world.report()["problems"]})

    assert world.ask("alice", LARGE).status == 403


@pytest.mark.parametrize("running", ["finish", "end"])
def test_running_streams_end_only_where_the_decision_says_so(world, running):
    world.enforce()
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=20)
    body = json.dumps({**LARGE, "stream": True, "chunks": 30, "pause": 0.1})
    headers = {"authorization": "Bearer sk-demo-bob", "content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", body=body, headers=headers)
    response = connection.getresponse()

    large = scope(models=("aurora-large",))
    world.enforce(correction(1, policy.Suspend(), functionality=large, running_streams=running))
    start = time.monotonic()
    try:
        ended = response.read().endswith(b"[DONE]\n\n")
    except (http.client.IncompleteRead, ConnectionError):
        ended = False
    finally:
        connection.close()

    assert ended is (running == "finish")
    if running == "end":
        assert time.monotonic() - start < 2
    assert world.ask("bob", LARGE).status == 503
    assert world.ask("bob", SMALL).status == 200


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
