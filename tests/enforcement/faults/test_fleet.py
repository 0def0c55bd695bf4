"""Two hubs, five gateways, cut off and mended: each keeps what it acknowledged, all end with the newest."""

from __future__ import annotations

import pytest

from enforcement import policy
from tests.enforcement.faults.fleet import PATIENCE
from tests.enforcement.world import correction
from tests.patience import wait_for

ALICE = correction(1, policy.Block(), users=policy.Users(users=("alice",)))
BOB = correction(2, policy.Block(), users=policy.Users(users=("bob",)))
LARGE = {"model": "aurora-large"}


@pytest.fixture
def fleet(many, watch):
    many.enforce(ALICE)
    for gateway in many.gateways:
        watch.must_refuse(gateway.port, "alice")
    return many


def statuses(fleet, who):
    return [status(gateway, who) for gateway in fleet.gateways]


def status(gateway, who):
    try:
        return gateway.ask(who, LARGE).status
    except OSError:
        return 0


def cut_off(fleet, name):
    for link in fleet.links[name]:
        link.cut()


def mend(fleet, name):
    for link in fleet.links[name]:
        link.mend()


def test_a_gateway_that_is_cut_off_keeps_what_it_has_and_catches_up(fleet, watch):
    cut_off(fleet, "gateway-5")
    fleet.publish(ALICE, BOB)
    wait_for(lambda: statuses(fleet, "bob") == [403, 403, 403, 403, 200], PATIENCE)
    for gateway in fleet.gateways[:4]:
        watch.must_refuse(gateway.port, "bob")
    fleet.gateways[4].kill_envoy()  # also what is cut off and starts again enforces
    for gateway in fleet.gateways[:4]:
        watch.may_pass(gateway.port, "alice")
    fleet.publish(BOB, correction(3, policy.Block(), users=policy.Users(users=("dave",))))
    wait_for(lambda: statuses(fleet, "dave") == [403, 403, 403, 403, 200], PATIENCE)

    watch.may_pass(fleet.gateways[4].port, "alice")
    mend(fleet, "gateway-5")
    fleet.converged()

    assert statuses(fleet, "bob") == statuses(fleet, "dave") == [403] * 5
    assert statuses(fleet, "alice") == [200] * 5


def test_one_hub_is_enough_and_one_that_lags_takes_nothing_back(fleet, watch):
    lagging = fleet.hubs[0]
    lagging.kill()
    fleet.publish(ALICE, BOB)
    wait_for(lambda: statuses(fleet, "bob") == [403] * 5, PATIENCE)
    for gateway in fleet.gateways:
        watch.must_refuse(gateway.port, "bob")
    fleet.hubs[1].kill()
    lagging.start()  # it knows only the older policy
    lagging.ready()
    wait_for(lambda: len([one for one in lagging.reports().values() if one["live"]]) == 5, PATIENCE)

    assert statuses(fleet, "bob") == [403] * 5
    fleet.hubs[1].start()
    fleet.converged()
    for gateway in fleet.gateways:
        watch.may_pass(gateway.port, "bob")


def test_a_hub_that_hangs_holds_up_neither_policies_nor_reports(fleet, watch):
    hanging = fleet.hubs[0]
    hanging.hang()
    try:
        fleet.sign(ALICE, BOB)
        fleet.hubs[1].ask("PUT", "/v1/policy", fleet.newest)
        wait_for(lambda: fleet.lagging(fleet.hubs[1]) == [], PATIENCE)
        assert statuses(fleet, "bob") == [403] * 5
    finally:
        hanging.go_on()

    fleet.converged()
