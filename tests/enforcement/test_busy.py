"""Who asks so often that less of it needs to be noted."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from enforcement import policy
from enforcement.agent.busy import BECOMES, STAYS, Busy
from enforcement.envoy import unreached
from enforcement.report import TrafficRecord
from tests.enforcement.inside import started
from tests.enforcement.servers import Servers
from tests.enforcement.world import CLIENTS, World, correction, signed

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def asked(key, times, *, minute=0, second=0):
    return TrafficRecord(
        at=NOON + timedelta(minutes=minute, seconds=second),
        gateway="gateway",
        user=key,
        organisation="acme",
        key=key,
        application="a",
        use_case="",
        endpoint="messages",
        model="aurora-large",
        status=200,
        weight=times,
    )


def at(minutes, seconds=0):
    return NOON + timedelta(minutes=minutes, seconds=seconds)


def test_a_caller_is_busy_from_the_end_of_a_minute_with_very_many_requests():
    busy = Busy()

    few = [asked("one", 60 * BECOMES - 1), asked("two", 60 * BECOMES), asked("one", 0)]
    assert not busy.note(few, at(0))
    assert busy.keys == frozenset()
    assert busy.note([asked("three", 1, minute=1)], at(1))
    assert busy.keys == {"two"}


def test_who_is_busy_stays_so_until_a_minute_with_few_requests():
    busy = Busy()
    busy.note([asked("two", 60 * BECOMES), asked("two", 60 * STAYS, minute=1)], at(1))
    assert busy.keys == {"two"}

    assert not busy.note([asked("two", 60 * STAYS - 1, minute=2)], at(2))
    assert busy.note([asked("one", 1, minute=3)], at(3))
    assert busy.keys == frozenset()


def test_who_falls_silent_is_busy_no_longer_although_nobody_else_asks():
    busy = Busy()
    busy.note([asked("two", 60 * BECOMES), asked("two", 60 * STAYS, minute=1)], at(1))

    assert not busy.note([], at(2, 59))
    assert busy.keys == {"two"}
    assert not busy.note([], at(3))  # the minute with enough is judged
    assert busy.note([], at(4))
    assert busy.keys == frozenset()


def test_after_a_minute_in_which_nobody_asked_nobody_is_busy():
    busy = Busy()
    busy.note([asked("two", 60 * BECOMES), asked("two", 60 * BECOMES, minute=1)], at(1))

    assert busy.note([asked("two", 1, minute=240)], at(240))
    assert busy.keys == frozenset()


def test_a_request_that_took_long_ends_no_minute():
    busy = Busy()
    busy.note([asked("two", 30 * BECOMES, second=50), asked("two", 1, minute=-30)], at(0))

    busy.note([asked("two", 30 * BECOMES, second=59), asked("one", 1, minute=1)], at(1))

    assert busy.keys == {"two"}


def test_a_clock_that_was_set_back_makes_nobody_busy():
    busy = Busy()
    busy.note([asked("one", 1, minute=60)], at(60))

    for minute in range(20):
        busy.note([asked("one", 30 * BECOMES, minute=minute)], at(minute))

    assert busy.keys == frozenset()


def marks(agent):
    raw = (agent.process.folder / "identity.json").read_bytes()
    every = json.loads(raw)["resources"][0]["typed_config"]["credentials"]
    return {
        each["client"].split(";")[3]: each["client"].split(";")[0] for each in every if ";" in each["client"]
    }


TWO_MINUTES = [asked("key-bob", 60 * BECOMES), asked("key-bob", 1, minute=1)]


@pytest.mark.parametrize("blocked", [False, True])
def test_the_agent_lets_envoy_know_and_keeps_it_through_other_clients(tmp_path, blocked):
    item = correction(1, policy.Block(), users=policy.Users(users=("bob" if blocked else "nobody",)))

    async def scenario(world):
        async with started(world) as agent:
            await agent.applier.take(signed(1, item))
            await agent.handing_in.on_records(TWO_MINUTES)
            at_first = marks(agent)
            agent._load_files()
            await agent.applier.again()
            return at_first, marks(agent)

    with Servers() as servers:
        world = World(tmp_path, servers, with_filter=False)
        world.state.mkdir()
        models = json.loads((tmp_path / "models.json").read_text())
        (tmp_path / "models.json").write_text(json.dumps({"free": {**models["free"], "streams": "direct"}}))
        at_first, later = asyncio.run(scenario(world))

    assert at_first == later
    assert set(later) == {f"key-{name}" for name in CLIENTS}
    assert later["key-bob"] == (unreached.UNMARKED if blocked else later["key-alice"]) + unreached.BUSY
    assert later["key-alice"] not in (unreached.UNMARKED, later["key-bob"])
