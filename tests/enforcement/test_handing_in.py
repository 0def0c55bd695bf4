"""The agent's side of the decision log: what is out of bounds is left out and told, and the rest goes on."""

from __future__ import annotations

import asyncio
import json
import signal

import aiohttp
import pytest

from enforcement import policy
from enforcement.agent import handing_in
from enforcement.agent.handing_in import HandingIn, Logs
from enforcement.agent.hubs import Hub
from enforcement.agent.state import State
from tests.enforcement.hub_process import AGENT, HubProcess
from tests.enforcement.test_store import LINE
from tests.enforcement.world import correction
from tests.patience import wait_for

REQUEST = LINE["request"]
TOO_HEAVY = {"request": {**REQUEST, "weight": 1_000_001}}
NO_TEXT = json.dumps(LINE).encode().replace(b'"alice"', b'"al\xc3"') + b"\n"


@pytest.fixture
def hub(tmp_path):
    process = HubProcess(tmp_path).start()
    yield process
    process.end(signal.SIGKILL)


@pytest.fixture
def logs(tmp_path):
    (tmp_path / "gateway" / "envoy").mkdir(parents=True)
    found = Logs(tmp_path / "gateway", "gateway-1")
    found.access.path.touch()
    return found


def write(logs, *lines):
    with logs.access.path.open("ab") as file:
        for line in lines:
            file.write(line if isinstance(line, bytes) else json.dumps({**LINE, **line}).encode() + b"\n")


def hand_in(logs, *urls):
    """Let an agent hand in what there is; give the problems that it tells of."""

    async def run():
        state = State("gateway-1")
        async with aiohttp.ClientSession() as session:
            hubs = [Hub(session, url, AGENT, state) for url in urls]
            task = asyncio.create_task(HandingIn(logs, hubs, None, state).run())
            size = logs.access.path.stat().st_size
            for _ in range(200):
                await asyncio.sleep(0.02)
                if logs.access.offset == size:
                    break
            await asyncio.sleep(handing_in.PAUSE_SECONDS)
            assert not task.done()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert logs.access.offset == size
        return {problem.code: problem.detail for problem in state.report().problems}

    return asyncio.run(run())


def address(hub):
    return f"http://127.0.0.1:{hub.port}"


def kept(hub):
    return hub.get("/v1/traffic").json["records"]


def test_the_agent_goes_on_behind_a_record_that_the_hub_leaves_out_and_tells_of_it(hub, logs):
    write(logs, {}, TOO_HEAVY, {})
    problems = hand_in(logs, address(hub))
    write(logs, {})
    hand_in(logs, address(hub))

    assert [record["seq"] for record in kept(hub)] == [1, 3, 4]
    assert problems["traffic_left_out"].startswith("1 records are not in the decision log")
    assert "$.weight" in problems["traffic_left_out"]


def test_what_was_left_out_is_counted_over_restarts_of_the_agent(hub, logs, tmp_path):
    write(logs, TOO_HEAVY, TOO_HEAVY)
    hand_in(logs, address(hub))
    write(logs, TOO_HEAVY)
    problems = hand_in(Logs(tmp_path / "gateway", "gateway-1"), address(hub))

    assert problems["traffic_left_out"].startswith("3 records")


def test_a_line_that_is_whole_and_out_of_bounds_is_counted_and_holds_up_no_other(hub, logs):
    write(logs, {}, {"status": "many"}, {})
    problems = hand_in(logs, address(hub))

    assert [record["seq"] for record in kept(hub)] == [1, 2]
    assert "$.status" in problems["traffic_left_out"]


def test_bytes_that_are_no_text_end_no_agent_and_lose_no_record(hub, logs):
    write(logs, {}, NO_TEXT, {})
    problems = hand_in(logs, address(hub))

    assert [record["user"] for record in kept(hub)] == ["alice", "al\ufffd", "alice"]
    assert problems == {}


def test_nothing_is_told_for_ever(hub, logs, monkeypatch):
    monkeypatch.setattr(handing_in, "TOLD_SECONDS", 0)
    write(logs, TOO_HEAVY)

    assert hand_in(logs, address(hub)) == {}
    assert logs.left_out() == 1


def test_what_one_of_two_hubs_takes_is_not_left_out(hub, logs):
    async def taking(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        writer.close()

    async def run():
        server = await asyncio.start_server(taking, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await asyncio.to_thread(hand_in, logs, address(hub), f"http://127.0.0.1:{port}")

    write(logs, {}, TOO_HEAVY)

    assert asyncio.run(run()) == {}
    assert len(kept(hub)) == 1


def test_names_that_end_inside_a_character_end_no_agent(world):
    """The gateway notes 200 bytes of a tool's name and any bytes that stand where a model's name should."""
    world.ask("bob", {"model": "free", "messages": []} | {"tools": [tool("a" + "é" * 150)]})
    world.ask("bob", b'{"model": "\xff\xfe", "messages": []}')
    world.enforce(correction(1, policy.ToolsOff(), users=policy.Users(users=("alice",))))
    world.ask("bob", {"model": "aurora-large", "messages": [], "tools": [tool("b" + "é" * 150)]})
    world.ask("bob", {"model": "aurora-small", "messages": []})
    seen = wait_for(lambda: [one for one in world.servers.traffic if one["model"] == "aurora-small"])
    cut = [name for one in world.servers.traffic for name in one["tools"]]

    assert [one["user"] for one in seen] == ["bob"]
    assert any("\ufffd" in name for name in cut)
    assert world.agent.poll() is None


def tool(name):
    return {"type": "function", "function": {"name": name}}
