"""What was restricted stays restricted, whatever is down."""

from __future__ import annotations

import json
import os
import signal
import socket
import time

import pytest

from enforcement import policy
from tests.enforcement.servers import Servers
from tests.enforcement.world import World, correction, free_port, signed
from tests.patience import wait_for

LARGE = {"model": "aurora-large"}
BLOCK = correction(1, policy.Block(), users=policy.Users(users=("alice",)))
BLOCK_BOB = correction(2, policy.Block(), users=policy.Users(users=("bob",)))


@pytest.fixture
def world(tmp_path):
    with Servers() as servers:
        found = World(tmp_path, servers, with_filter=False)
        try:
            yield found
        finally:
            found.stop()


@pytest.fixture
def enforcing(world):
    world.start_agent()
    world.enforce(BLOCK)
    return world


def problems(world):
    return {one["code"]: one["detail"] for one in world.report()["problems"]}


def kill_agent(world):
    world.agent.kill()
    world.agent.wait()


def kill_envoy(world):
    pid = world.envoy_pid()
    os.kill(pid, signal.SIGKILL)
    return pid


def answers(world):
    try:
        return world.ask("bob", {"model": "free"}).status == 200
    except OSError:
        return False


def test_without_any_policy_guarded_models_are_closed_and_others_open(world):
    world.start_agent()
    world.ready()

    refused = world.ask("alice", LARGE)

    assert (refused.status, refused.code) == (503, "gateway_closed")
    assert world.ask("alice", {"model": "nope"}).code == "gateway_closed"
    assert world.ask("alice", {"model": "free"}).status == 200
    assert wait_for(world.report)["policy"] is None


def test_with_the_hub_down_from_the_start_the_policy_on_disk_is_enforced(enforcing):
    kill_agent(enforcing)
    kill_envoy(enforcing)
    enforcing.servers.stop_hub()

    enforcing.start_agent()
    enforcing.ready()

    assert enforcing.ask("alice", LARGE).status == 403
    assert enforcing.ask("bob", LARGE).status == 200


def test_an_envoy_that_dies_with_the_hub_down_comes_back_enforcing(enforcing):
    enforcing.servers.stop_hub()
    old = kill_envoy(enforcing)
    served = []

    def back():
        try:
            served.append(enforcing.ask("alice", LARGE).status)
        except OSError:
            return False
        return enforcing.envoy_pid() not in (None, old)

    wait_for(back)

    assert set(served) == {403}


def test_a_dead_agent_leaves_envoy_enforcing_and_a_new_one_adopts_it(enforcing):
    kill_agent(enforcing)
    pid = enforcing.envoy_pid()
    assert enforcing.ask("alice", LARGE).status == 403

    enforcing.start_agent()
    enforcing.enforce(BLOCK, BLOCK_BOB)

    assert enforcing.envoy_pid() == pid
    assert [enforcing.ask(who, LARGE).status for who in ("alice", "bob", "carol")] == [403, 403, 200]


def test_an_agent_that_is_told_to_stop_takes_its_envoy_along(enforcing):
    enforcing.agent.terminate()

    assert enforcing.agent.wait(60) == 0
    assert enforcing.envoy_pid() is None


def test_a_hub_that_was_away_is_followed_again(enforcing):
    enforcing.servers.stop_hub()
    time.sleep(0.3)
    enforcing.servers.start_hub()

    enforcing.enforce(BLOCK_BOB)

    assert enforcing.ask("bob", LARGE).status == 403
    assert not [code for code in problems(enforcing) if code.startswith("hub:")]


def broken(raw):
    document = json.loads(raw)
    return {
        "truncated": raw[: len(raw) // 2],
        "unsigned": json.dumps({**document, "signature": ""}).encode(),
        "resigned": json.dumps({**document, "version": 99}).encode(),
        "unknown field": json.dumps({**document, "note": "x"}).encode(),
        "unknown kind": raw.replace(b'"block"', b'"unblock"'),
        "foreign key": raw.replace(b'"key_id":"test"', b'"key_id":"evil"'),
        "not json": b"<html>",
        "empty": b"",
    }


def test_what_cannot_be_trusted_is_refused_and_the_last_good_one_stays(enforcing):
    for name, raw in broken(signed(2, BLOCK_BOB)).items():
        seen = len(enforcing.servers.reports)
        enforcing.servers.publish(raw)
        wait_for(
            lambda seen=seen: len(enforcing.servers.reports) > seen and "bad_policy" in problems(enforcing)
        )

        assert enforcing.report()["policy"]["version"] == 1, name
        assert enforcing.ask("alice", LARGE).status == 403, name

    enforcing.version = 1
    enforcing.enforce(BLOCK_BOB)
    assert "bad_policy" not in problems(enforcing)


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_version_or_another_content_under_the_same_is_refused(enforcing, version):
    enforcing.enforce(BLOCK)  # version 2

    enforcing.servers.publish(signed(version))
    wait_for(lambda: "stale_policy" in problems(enforcing))

    assert enforcing.ask("alice", LARGE).status == 403
    assert enforcing.report()["policy"]["version"] == 2


def test_a_restart_does_not_forget_which_version_was_the_newest(enforcing):
    enforcing.enforce(BLOCK, BLOCK_BOB)
    kill_agent(enforcing)
    enforcing.servers.publish(signed(1, BLOCK))

    enforcing.start_agent()
    wait_for(lambda: "stale_policy" in problems(enforcing))

    assert enforcing.ask("bob", LARGE).status == 403


def test_a_policy_that_cannot_be_stored_is_not_in_force_and_says_so(enforcing):
    enforcing.version += 1
    policy_file = enforcing.state / "policy.json"
    kept = policy_file.read_bytes()
    policy_file.unlink()
    policy_file.mkdir()  # even root cannot rename a file over a folder
    enforcing.servers.publish(signed(enforcing.version, BLOCK, BLOCK_BOB))

    wait_for(lambda: "disk" in problems(enforcing))

    assert [enforcing.ask(who, LARGE).status for who in ("alice", "bob")] == [403, 200]
    policy_file.rmdir()
    policy_file.write_bytes(kept)
    enforcing.enforce(BLOCK, BLOCK_BOB)
    assert "disk" not in problems(enforcing)


def test_a_damaged_policy_on_disk_falls_back_to_the_one_before(enforcing):
    enforcing.enforce(BLOCK, BLOCK_BOB)
    kill_agent(enforcing)
    kill_envoy(enforcing)
    enforcing.servers.stop_hub()
    (enforcing.state / "policy.json").write_bytes(b'{"format":')

    enforcing.start_agent()
    enforcing.ready()

    assert enforcing.ask("alice", LARGE).status == 403


def test_a_content_filter_that_is_down_refuses_what_would_go_by_it(enforcing):
    cap = correction(3, policy.OutputCap(max_tokens=5), users=policy.Users(users=("bob",)))
    enforcing.publish(BLOCK, cap)

    found = wait_for(lambda: failed(enforcing))

    assert found["detail"]
    assert not found["verified"]
    refused = enforcing.ask("bob", LARGE)
    assert (refused.status, refused.code) == (503, "upstream_unavailable")
    assert enforcing.ask("carol", LARGE).status == 200


def failed(world):
    found = world.report()["corrections"].get("COR-0003.1")
    return found if found and found["state"] == "failed" else None


def test_wrong_settings_are_one_clear_line(world):
    world.start_agent()
    world.ready()
    kill_agent(world)
    (world.folder / "clients.json").write_text('[{"key":"sk-demo-x"}]')

    world.start_agent()

    assert world.agent.wait(60) == 2
    said = (world.folder / "enforcement.agent.log").read_text()
    assert "key_id" in said
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_a_problem_that_says_so(world):
    with socket.socket() as other:
        other.bind(("127.0.0.1", world.port))
        other.listen()
        world.start_agent()

        wait_for(lambda: world.report() and "Address already in use" in problems(world).get("envoy_down", ""))
    world.ready()


def test_an_agent_of_another_version_or_with_other_ports_replaces_the_envoy_it_finds(enforcing):
    kill_agent(enforcing)
    pid = enforcing.envoy_pid()
    enforcing.admin_port = free_port()

    enforcing.start_agent()

    wait_for(lambda: enforcing.envoy_pid() not in (None, pid))
    enforcing.ready()
    assert enforcing.ask("alice", LARGE).status == 403
