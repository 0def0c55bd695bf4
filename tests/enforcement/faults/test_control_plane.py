"""A whole stack: application, workers, database, broker, gateway: killed, stopped and started again."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from deploy.embedded.process import ROOT
from deploy.embedded.stack import temporary
from tests.patience import wait_for

PATIENCE = 150.0
AWAY = ("web", "live", "relay", "worker", "beat", "valkey", "postgres")


@pytest.fixture(scope="module")
def stack():
    """A stack whose supervisor starts again whatever ends; alice is blocked by a decision."""
    with temporary(IRAPP_TRAFFIC="off") as running:
        decide_to_block(running, "key-alice")
        wait_for(lambda: refused_by_every_worker(running, "alice"), PATIENCE)
        yield running


@pytest.fixture
def watched(stack, watch):
    watch.must_refuse(stack.ports.gateway, "alice")
    return stack


def decide_to_block(stack, key_id):
    environment = {**stack.environment, "DJANGO_SETTINGS_MODULE": "irapp.settings"}
    command = [sys.executable, "-m", "tests.enforcement.faults.deciding", key_id]
    subprocess.run(command, env=environment, cwd=ROOT, check=True, timeout=200)


def status(stack, who):
    connection = http.client.HTTPConnection("127.0.0.1", stack.ports.gateway, timeout=10)
    headers = {"authorization": f"Bearer sk-demo-{who}", "content-type": "application/json"}
    body = {"model": "aurora-large", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def refused_by_every_worker(stack, who):
    """Ask over connections of their own, which go to Envoy's workers in no order."""
    return all(status(stack, who) == 403 for _ in range(20))


def kill(stack, names):
    """Kill programs, and give those that ran."""
    before = {name: stack.children[name].pid for name in names}
    for pid in before.values():
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return before


def started_again(stack, before):
    """Wait until each runs as another process."""
    for name, pid in before.items():
        wait_for(lambda name=name, pid=pid: stack.children[name].pid not in (None, pid), PATIENCE)


def ready(stack, names):
    """Wait until each serves."""
    for child in [stack.children[name] for name in names]:
        wait_for(lambda child=child: child.program.ready(child), PATIENCE)


def back(stack, before):
    started_again(stack, before)
    ready(stack, before)


def kill_envoy(stack):
    pid = int((stack.state.folder / "agent" / "envoy" / "envoy.pid").read_text())
    os.kill(pid, signal.SIGKILL)


def test_each_that_is_killed_lets_nothing_through_and_comes_back(watched):
    names = [name for name in watched.children if name != "model"]
    for name in names:
        started_again(watched, kill(watched, [name]))
    ready(watched, names)

    wait_for(lambda: status(watched, "carol") == 200, PATIENCE)
    assert status(watched, "alice") == 403


def test_without_the_whole_control_plane_the_gateway_goes_on_even_through_a_restart_of_its_own(watched):
    stopped = [watched.children[name].pid for name in (*AWAY, "hub")]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)  # nobody starts again what has not ended
    try:
        kill_envoy(watched)
        back(watched, kill(watched, ["agent", "filter", "ratelimit"]))
        wait_for(lambda: status(watched, "carol") == 200, PATIENCE)
        assert status(watched, "alice") == 403
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def test_after_all_were_killed_together_the_next_decision_reaches_the_gateway(watched):
    names = [name for name in watched.children if name != "model"]
    before = kill(watched, names)
    kill_envoy(watched)
    back(watched, before)

    wait_for(lambda: status(watched, "carol") == 200, PATIENCE)
    decide_to_block(watched, "key-bob")

    wait_for(lambda: refused_by_every_worker(watched, "bob"), PATIENCE)
    assert status(watched, "alice") == 403
    assert status(watched, "carol") == 200
