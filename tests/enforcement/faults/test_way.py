"""A policy on its way: lost, delivered twice, late, garbled, forged. Wrong clocks, full disks."""

from __future__ import annotations

import json
import re
import resource
from datetime import timedelta

import pytest

from enforcement import policy
from tests.enforcement.clocks import followed, kept_within_a_second
from tests.enforcement.faults.fleet import PATIENCE, timed
from tests.enforcement.world import correction
from tests.patience import wait_for

ALICE = correction(1, policy.Block(), users=policy.Users(users=("alice",)))
BOB = correction(2, policy.Block(), users=policy.Users(users=("bob",)))
LARGE = {"model": "aurora-large"}
NAMES = policy.subject_list([*(f"user-{number}" for number in range(2000)), "bob"])
UNHEARD_OF = policy.subject_list([*(f"user-{number}" for number in range(1999)), "user-z", "bob"])
"""No other test names this one, so it is on no disk."""


@pytest.fixture
def fleet(one, watch):
    one.enforce(ALICE)
    watch.must_refuse(one.gateways[0].port, "alice")
    return one


def acknowledged(fleet):
    found = fleet.hubs[0].reports().get("gateway-1")
    return found["policy"]["version"] if found and found["live"] and found["policy"] else None


def refused(fleet, who):
    return fleet.gateways[0].ask(who, LARGE).status == 403


def test_a_policy_that_is_lost_on_the_way_is_made_up_for_by_the_next(fleet):
    fleet.sign(ALICE)  # never reaches the hub
    fleet.enforce(ALICE, BOB)

    assert refused(fleet, "bob")


def test_what_comes_twice_or_late_changes_nothing(fleet):
    late = fleet.sign(ALICE)
    fleet.enforce(ALICE, BOB)

    statuses = [fleet.hubs[0].ask("PUT", "/v1/policy", raw)[0] for raw in (fleet.newest, late, fleet.newest)]

    assert statuses == [200, 409, 200]
    fleet.converged()
    assert refused(fleet, "bob")


def blotted(pattern, by):
    """Put something else in the place of what a pattern's last group finds, of the same length."""

    def blot(found):
        return found[1] + by * len(found[2]) + found[3]

    return lambda data: re.sub(pattern, blot, data)


GARBLED = {
    "unsigned": blotted(rb'("signature":")([^"]*)(")', b"A"),
    "unknown field": lambda data: data.replace(b'"key_id"', b'"key_ix"'),
    "unknown kind": lambda data: data.replace(b'"kind":"block"', b'"kind":"blank"'),
    "another subject": lambda data: data.replace(b'"bob"', b'"bib"'),
    "another version": blotted(rb'("version":)(\d+)(\})', b"9"),
}


@pytest.mark.parametrize("how", GARBLED)
def test_a_policy_that_is_garbled_on_its_way_is_refused_and_the_last_good_one_stays(fleet, how):
    link, before = fleet.links["gateway-1"][0], fleet.version
    link.garble = GARBLED[how]
    try:
        fleet.publish(ALICE, BOB)
        wait_for(lambda: "bad_policy" in fleet.problems(), PATIENCE)
        assert acknowledged(fleet) == before
        assert not refused(fleet, "bob")
    finally:
        link.garble = bytes

    fleet.enforce(ALICE, BOB)
    assert refused(fleet, "bob")


def test_a_policy_that_is_cut_off_on_its_way_is_asked_for_again(fleet):
    link, cut = fleet.links["gateway-1"][0], []

    def garble(data):
        if b'"key_id"' not in data or len(cut) == 2:
            return data
        cut.append(data)
        return data[:-200]

    link.garble = garble
    try:
        fleet.enforce(ALICE, BOB)
    finally:
        link.garble = bytes

    assert len(cut) == 2
    assert refused(fleet, "bob")


def listed(fleet, names=NAMES):
    lists = (policy.SubjectList(of="user", attachment=policy.address(names), count=2001),)
    fleet.attached[policy.address(names)] = names
    return correction(5, policy.Block(), users=policy.Users(users=("user-x",), lists=lists))


def test_a_policy_is_not_taken_before_its_list_has_come_whole(fleet):
    link = fleet.links["gateway-1"][0]
    link.garble = lambda data: data.replace(b"user-77\n", b"user-XX\n")
    try:
        fleet.publish(ALICE, listed(fleet, UNHEARD_OF))
        wait_for(lambda: "attachments_awaited" in fleet.problems(), PATIENCE)
        assert acknowledged(fleet) == fleet.version - 1
    finally:
        link.garble = bytes

    fleet.converged()
    assert refused(fleet, "bob")


def test_a_list_on_disk_that_is_damaged_is_fetched_again_and_enforced_meanwhile(fleet, watch):
    gateway = fleet.gateways[0]
    fleet.enforce(ALICE, listed(fleet))
    watch.must_refuse(gateway.port, "bob")
    path = gateway.state / "attachments" / policy.address(NAMES).removeprefix("sha256:")
    gateway.kill_agent()
    gateway.kill_envoy()
    fleet.hubs[0].kill()
    path.write_bytes(NAMES[:100])

    gateway.start_agent()
    wait_for(gateway._serves, PATIENCE)
    assert refused(fleet, "bob")
    fleet.hubs[0].start()

    fleet.converged()
    assert path.read_bytes() == NAMES
    watch.may_pass(gateway.port, "bob")


def test_a_list_that_nobody_names_any_longer_leaves_the_disk(fleet):
    folder = fleet.gateways[0].state / "attachments"
    fleet.enforce(ALICE, listed(fleet))
    only = [policy.address(NAMES).removeprefix("sha256:")]
    wait_for(lambda: [path.name for path in folder.iterdir()] == only, PATIENCE)

    fleet.enforce(ALICE)
    fleet.enforce(ALICE, BOB)
    wait_for(lambda: list(folder.iterdir()) == [], PATIENCE)


def another_clock(folder, minutes):
    """Give the environment of a Python that takes another time for the right one."""
    (folder / "sitecustomize.py").write_text(
        "import datetime, time_machine\n"
        f"moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes={minutes})\n"
        "time_machine.travel(moment).start()\n"
    )
    return {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize("minutes", [300, -300])
def test_an_agent_whose_clock_is_wrong_says_so_and_opens_nothing(fleet, minutes, tmp_path):
    gateway = fleet.gateways[0]
    gateway.restart_agent(**another_clock(tmp_path, minutes))
    try:
        wait_for(lambda: "clock" in fleet.problems(), PATIENCE)
        fleet.publish(ALICE, BOB)
        wait_for(lambda: refused(fleet, "bob"), PATIENCE)
    finally:
        gateway.restart_agent()

    fleet.converged()
    wait_for(lambda: "clock" not in fleet.problems(), PATIENCE)


@pytest.mark.parametrize("minutes", [7, -7])
def test_a_hub_whose_clock_is_wrong_is_told_of_and_starts_and_ends_are_kept_by_the_gateway(
    fleet, watch, minutes, tmp_path
):
    hub, gateway = fleet.hubs[0], fleet.gateways[0]
    hub.kill()
    hub.start(**another_clock(tmp_path, minutes))
    try:
        hub.ready()
        wait_for(lambda: "clock" in fleet.problems(), PATIENCE)
        begins, ends = timed(fleet, ALICE)
        seen = followed(gateway, "carol", until=ends + timedelta(seconds=1.1))
        where = "behind" if minutes > 0 else "ahead of"
        assert re.fullmatch(rf"this clock is 4[12]\d s {where} that of http.*", fleet.problems()["clock"])
    finally:
        hub.kill()
        hub.start()

    kept_within_a_second(seen, begins, ends)
    hub.ready()
    fleet.converged()
    wait_for(lambda: "clock" not in fleet.problems(), PATIENCE)


def test_a_full_disk_keeps_the_last_good_policy_and_takes_the_newest_when_there_is_room(fleet):
    pid, before = fleet.gateways[0].agent.pid, fleet.version
    free = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (100, free[1]))
    try:
        fleet.publish(ALICE, BOB)
        wait_for(lambda: "disk" in fleet.problems(), PATIENCE)
        assert acknowledged(fleet) == before
        assert json.loads((fleet.gateways[0].state / "policy.json").read_bytes())["version"] == before
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, free)

    fleet.converged()
    assert refused(fleet, "bob")
