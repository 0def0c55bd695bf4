"""Killed one by one and together, started again in any order: what was refused stays refused."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import permutations

import pytest

from enforcement import policy
from enforcement.agent.config import from_environment
from enforcement.agent.process import EnvoyProcess
from tests.enforcement.clocks import followed, kept_within_a_second
from tests.enforcement.faults.fleet import timed
from tests.enforcement.world import correction
from tests.patience import wait_for

ALICE = correction(1, policy.Block(), users=policy.Users(users=("alice",)))
BOB = correction(2, policy.Block(), users=policy.Users(users=("bob",)))
CAPPED = correction(3, policy.OutputCap(max_tokens=9), users=policy.Users(users=("dave",)))
LARGE = {"model": "aurora-large"}


@pytest.fixture
def fleet(one, watch):
    """A gateway that refuses alice and caps dave, and somebody who sees to it."""
    one.enforce(ALICE, CAPPED)
    watch.must_refuse(one.gateways[0].port, "alice")
    return one


def kill(fleet, *names):
    gateway = fleet.gateways[0]
    ends = {
        "hub": fleet.hubs[0].kill,
        "agent": gateway.kill_agent,
        "filter": gateway.kill_filter,
        "envoy": gateway.kill_envoy,
    }
    for name in names:
        ends[name]()


def start(fleet, *names):
    gateway = fleet.gateways[0]
    starts = {"hub": fleet.hubs[0].start, "agent": gateway.start_agent, "filter": gateway.start_filter}
    for name in names:
        if name in starts:  # Envoy is started by its agent
            starts[name]()


def healed(fleet, watch):
    """See that everything goes on: decisions reach the gateway, and who may ask is served."""
    fleet.enforce(ALICE, BOB, CAPPED)
    gateway = fleet.gateways[0]
    watch.must_refuse(gateway.port, "bob")
    for who in ("carol", "dave"):
        wait_for(lambda who=who: gateway.ask(who, {**LARGE, "max_completion_tokens": 50}).status == 200)
    assert gateway.servers.requests[-1]["body"]["max_completion_tokens"] == 9
    watch.may_pass(gateway.port, "bob")


@pytest.mark.parametrize("name", ["hub", "agent", "filter", "envoy"])
def test_one_that_is_killed_lets_nothing_through_and_comes_back(fleet, watch, name):
    kill(fleet, name)
    refused = watch.refused
    if name != "envoy":
        wait_for(lambda: watch.refused > refused + 5)  # the gateway goes on without it
    start(fleet, name)

    healed(fleet, watch)


def test_a_killed_filter_refuses_what_needs_it_and_no_one_else(fleet, watch):
    kill(fleet, "filter")
    gateway = fleet.gateways[0]

    assert gateway.ask("dave", LARGE).status == 503
    assert gateway.ask("carol", LARGE).status == 200
    wait_for(lambda: fleet.hubs[0].reports()["gateway-1"]["corrections"]["COR-0003.1"]["state"] == "failed")
    start(fleet, "filter")

    healed(fleet, watch)


ORDERS = [order for number, order in enumerate(permutations(("hub", "agent", "filter"))) if number % 2 == 0]


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_all_killed_together_and_started_in_any_order(fleet, watch, order):
    kill(fleet, "hub", "agent", "filter", "envoy")

    start(fleet, *order)

    healed(fleet, watch)


def test_an_envoy_that_is_started_with_everything_else_dead_enforces_from_its_first_answer(fleet, watch):
    gateway = fleet.gateways[0]
    kill(fleet, "hub", "agent", "filter", "envoy")
    with lonely_envoy(gateway):
        statuses = [gateway.ask(who, LARGE).status for who in ("alice", "carol", "dave")]
    start(fleet, "filter", "agent", "hub")

    assert statuses == [403, 200, 503]
    healed(fleet, watch)


@contextmanager
def lonely_envoy(gateway):
    """Start Envoy as an operator would by hand; again where somebody else has just taken its port."""
    command = EnvoyProcess(from_environment(gateway.agent_environment())).command()
    log = gateway.folder / "lonely.log"
    for _ in range(3):
        with log.open("wb") as file:
            envoy = subprocess.Popen(command, stdout=file, stderr=file)
        try:
            if comes_up(gateway):
                yield
                return
        finally:
            envoy.kill()
            envoy.wait()
        assert "in use" in log.read_text(), log.read_text()


def comes_up(gateway):
    with suppress(AssertionError):
        return wait_for(gateway._serves, 10)
    return False


def test_start_and_end_are_kept_within_a_second_with_everything_but_envoy_dead(fleet, watch):
    begins, ends = timed(fleet, ALICE, CAPPED)
    kill(fleet, "hub", "agent", "filter")

    seen = followed(fleet.gateways[0], "carol", until=ends + timedelta(seconds=1.1))

    kept_within_a_second(seen, begins, ends)
    start(fleet, "hub", "agent", "filter")
    healed(fleet, watch)
