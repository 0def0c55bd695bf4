"""Somebody changes what Envoy reads, behind the agent: it is told of, and put right at once."""

from __future__ import annotations

import os
import signal
import time

import pytest

from enforcement import policy
from tests.enforcement.servers import Servers
from tests.enforcement.world import World, correction
from tests.patience import wait_for

LARGE = {"model": "aurora-large"}
BLOCK = correction(1, policy.Block(), users=policy.Users(users=("alice",)))


@pytest.fixture
def enforcing(tmp_path):
    with Servers() as servers:
        found = World(tmp_path, servers, with_filter=False)
        try:
            found.start_agent()
            found.enforce(BLOCK)
            yield found
        finally:
            found.stop()


def problems(world):
    return {one["code"] for one in world.report()["problems"]}


def meddle(enforcing, name, *changes):
    """Change a file as somebody else would who knows for what Envoy watches; give what it said."""
    path = enforcing.state / "envoy" / name
    kept = forged = path.read_bytes()
    for old, new in changes:
        assert old in forged
        forged = forged.replace(old, new)
    draft = path.with_suffix(".tmp")
    draft.write_bytes(forged)
    draft.rename(path)
    return kept


def told(world, *, since):
    """Give the problems of any report since then."""
    return {one["code"] for report in world.servers.reports[since:] for one in report["problems"]}


@pytest.mark.parametrize(
    "changes",
    [[(b"COR-0001.1", b"COR-9999.1"), (b"1-sha256", b"0-sha256")], [(b"COR-0001.1", b"COR-9999.1")]],
    ids=["another version", "the same version"],
)
def test_files_that_somebody_changes_behind_the_agent_are_put_right_and_told_of(enforcing, changes):
    since = len(enforcing.servers.reports)
    kept = meddle(enforcing, "corrections.json", *changes)

    wait_for(lambda: "envoy_drift" in told(enforcing, since=since), told="the problem")
    assert (enforcing.state / "envoy" / "corrections.json").read_bytes() == kept
    wait_for(lambda: enforcing.ask("alice", LARGE).headers["x-irapp-correction"] == "COR-0001.1")

    wait_for(lambda: "envoy_drift" not in problems(enforcing) and enforcing._proven(), told="health")


def test_a_gateway_that_was_made_to_let_somebody_through_refuses_them_within_a_second(enforcing):
    took = [healed_in(enforcing) for _ in range(3)]

    assert min(took) < 1, took  # a busy machine may take longer now and then


def healed_in(enforcing):
    """Make the gateway serve alice under the right version; give how long the agent bears it."""
    enforcing.agent.send_signal(signal.SIGSTOP)
    meddle(enforcing, "corrections.json", (b"alice", b"al1ce"))
    wait_for(lambda: enforcing.ask("alice", LARGE).status == 200, told="Envoy to read it")
    began = time.monotonic()
    enforcing.agent.send_signal(signal.SIGCONT)
    wait_for(lambda: enforcing.ask("alice", LARGE).status == 403, told="a refusal")
    return time.monotonic() - began


@pytest.mark.parametrize("name", ["bootstrap.json", "clusters.json", "identity.json", "limits.json"])
def test_what_does_not_depend_on_the_policy_is_put_right_too(enforcing, name):
    path = enforcing.state / "envoy" / name
    kept = path.read_bytes()
    path.unlink()

    wait_for(lambda: path.exists() and path.read_bytes() == kept, told="the file")
    assert enforcing.ask("alice", LARGE).status == 403


def test_an_envoy_that_cannot_start_with_what_somebody_wrote_is_started_with_the_right_files(enforcing):
    enforcing.agent.send_signal(signal.SIGSTOP)
    kept = meddle(enforcing, "listener.json", (b'"resources"', b'"resourcez"'))
    old = enforcing.envoy_pid()
    os.kill(old, signal.SIGKILL)
    enforcing.agent.send_signal(signal.SIGCONT)

    wait_for(lambda: enforcing.envoy_pid() not in (None, old))
    enforcing.ready()
    assert enforcing.ask("alice", LARGE).status == 403
    assert (enforcing.state / "envoy" / "listener.json").read_bytes() == kept


def cut(path):
    path.write_bytes(path.read_bytes()[:-3])


def exchanged(path):
    path.write_bytes(path.read_bytes().replace(b"carol", b"nobod"))


@pytest.fixture
def listed(enforcing):
    """The file of a long list that names carol, who is refused because of it."""
    raw = policy.subject_list(["carol", "dave"])
    address = policy.address(raw)
    enforcing.servers.attachments[address] = raw
    users = policy.Users(lists=(policy.SubjectList(of="user", attachment=address, count=2),))
    enforcing.enforce(BLOCK, correction(2, policy.Block(), users=users))
    (path,) = (enforcing.state / "envoy" / "lists").iterdir()
    return path


@pytest.mark.parametrize("meddled", [os.unlink, cut, exchanged])
def test_a_long_list_is_put_right_too(enforcing, listed, meddled):
    kept, since = listed.read_bytes(), len(enforcing.servers.reports)

    meddled(listed)

    wait_for(lambda: listed.exists() and listed.read_bytes() == kept, told="the list")
    wait_for(lambda: "envoy_drift" in told(enforcing, since=since), told="the problem")
    assert enforcing.ask("carol", LARGE).status == 403
    assert enforcing.ask("bob", LARGE).status == 200


def test_whom_a_wrong_list_let_through_a_list_that_was_put_right_refuses(enforcing, listed):
    enforcing.agent.send_signal(signal.SIGSTOP)
    exchanged(listed)
    kept = meddle(enforcing, "corrections.json", (b"2-sha256", b"0-sha256"))
    wait_for(lambda: enforcing.ask("carol", LARGE).status == 200, told="Envoy to read the wrong list")
    (enforcing.state / "envoy" / "corrections.new").write_bytes(kept)
    (enforcing.state / "envoy" / "corrections.new").rename(enforcing.state / "envoy" / "corrections.json")

    enforcing.agent.send_signal(signal.SIGCONT)

    wait_for(lambda: enforcing.ask("carol", LARGE).status == 403, told="a refusal")
