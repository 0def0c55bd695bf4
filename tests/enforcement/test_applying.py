"""A rendering that Envoy rejects: the last good one stays, on disk and in force, and the reason is told."""

from __future__ import annotations

import asyncio

import pytest

from enforcement import policy
from enforcement.agent import applying
from enforcement.agent.config import SettingsError, from_environment
from enforcement.agent.store import PolicyStore
from enforcement.envoy import render
from tests.enforcement.disk import in_the_way
from tests.enforcement.inside import started
from tests.enforcement.servers import Servers
from tests.enforcement.world import World, correction, signed

BLOCK = correction(1, policy.Block(), users=policy.Users(users=("alice",)))
LIMIT = correction(2, policy.RequestLimit(requests=5, window_seconds=1))


@pytest.fixture
def world(tmp_path):
    with Servers() as servers:
        found = World(tmp_path, servers, with_filter=False)
        found.state.mkdir()
        yield found


def test_a_rejected_rendering_leaves_the_last_good_policy_in_force(world, monkeypatch):
    monkeypatch.setattr(applying, "render", _Renderer())

    async def scenario():
        async with started(world) as agent:
            await agent.applier.take(signed(1, BLOCK))
            good = (agent.process.folder / "corrections.json").read_bytes()
            await agent.applier.take(signed(2))
            after = (agent.process.folder / "corrections.json").read_bytes()
            status = await asyncio.to_thread(lambda: world.ask("alice", {"model": "free"}).status)
            return agent.state.report(), good == after, agent.store.current.version, status

    report, restored, version, status = asyncio.run(scenario())

    assert (restored, version, status) == (True, 1, 403)
    assert report.policy.version == 1
    assert report.envoy.rejected == 1
    assert "script load error" in report.envoy.error
    assert [problem.code for problem in report.problems] == ["envoy_rejected"]


class _Renderer:
    """The rendering, with one version that Envoy cannot read."""

    version_of = staticmethod(render.version_of)
    static_files = staticmethod(render.static_files)
    BOOTSTRAP = render.BOOTSTRAP
    File = render.File
    list_files = staticmethod(render.list_files)
    clean_lists = staticmethod(render.clean_lists)
    _real = staticmethod(render.policy_files)

    def policy_files(self, gateway, in_force, attachments):
        files = self._real(gateway, in_force, attachments)
        if in_force is None or in_force.version != 2:
            return files
        return [file._replace(data=file.data.replace(b"local DATA", b"loca1 DATA")) for file in files]


def test_a_list_lost_while_a_policy_is_taken_back_is_a_problem_and_no_end(world, monkeypatch):
    monkeypatch.setattr(applying, "render", _Forgetful())

    async def scenario():
        async with started(world) as agent:
            await agent.applier.take(signed(1, BLOCK))
            settled = await agent.applier.take(signed(2))
            told = {problem.code: problem.detail for problem in agent.state.report().problems}
            await agent.applier.again()
            status = await asyncio.to_thread(lambda: world.ask("alice", {"model": "free"}).status)
            return settled, told, agent.store.current.version, status

    settled, told, version, status = asyncio.run(scenario())

    assert (settled, version, status) == (True, 1, 403)
    assert "script load error" in told["envoy_rejected"]
    assert "the list is lost" in told.values()


class _Forgetful(_Renderer):
    """After the version that Envoy cannot read, a list of the one before is lost for a moment."""

    lost = False

    def policy_files(self, gateway, in_force, attachments):
        if self.lost:
            self.lost = False
            raise policy.PolicyError("the list is lost")
        self.lost = in_force is not None and in_force.version == 2
        return super().policy_files(gateway, in_force, attachments)


@pytest.mark.parametrize("name", ["limits.json", "corrections.json"])
def test_a_policy_that_is_stored_and_not_put_in_place_is_taken_when_it_comes_again(world, name):
    applied = []

    async def scenario():
        async with started(world) as agent:
            await agent.applier.take(signed(1))
            agent.applier.on_applied = lambda before: applied.append(before.version)
            with in_the_way(agent.process.folder / name):
                settled = await agent.applier.take(signed(2, BLOCK))
            kept = agent.store.current.version, told(agent)
            again = await agent.applier.take(signed(2, BLOCK))
            status = await asyncio.to_thread(lambda: world.ask("alice", {"model": "free"}).status)
            return (settled, kept), (again, agent.store.current.version, told(agent), status)

    first, second = asyncio.run(scenario())

    assert first == (False, (1, ["disk"]))
    assert second == (True, 2, [], 403)
    assert applied == [1]


def test_the_files_moved_for_a_policy_that_is_not_put_in_place_are_those_of_the_one_before(world):
    async def scenario():
        async with started(world) as agent:
            await agent.applier.take(signed(1, LIMIT))
            limits = agent.process.folder / "limits.json"
            before = limits.read_bytes()
            with in_the_way(agent.process.folder / "corrections.json"):
                await agent.applier.take(signed(2, BLOCK))
            return before == limits.read_bytes(), PolicyStore(world.state, agent.settings.keys)

    same, disk = asyncio.run(scenario())

    assert same
    assert disk.load() == ""
    assert disk.current.version == 1


def told(agent):
    return [problem.code for problem in agent.state.report().problems]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AGENT_GATEWAY", "", "AGENT_GATEWAY is not set"),
        ("AGENT_GATEWAY_PORT", "http", "AGENT_GATEWAY_PORT must be a port number, not 'http'"),
        ("AGENT_ADMIN_PORT", "70000", "AGENT_ADMIN_PORT must be a port number, not '70000'"),
        ("AGENT_TOKEN_FILE", "/nowhere/token", "AGENT_TOKEN_FILE names no file: /nowhere/token"),
        ("AGENT_ENVOY", "/nowhere/envoy", "AGENT_ENVOY names no file: /nowhere/envoy"),
    ],
)
def test_a_wrong_setting_is_named(world, name, value, said):
    with pytest.raises(SettingsError, match=said):
        from_environment({**world.agent_environment(), name: value})
