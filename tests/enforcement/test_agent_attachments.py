"""Attachments at an agent: fetched from any hub, verified, kept, cleaned up."""

from __future__ import annotations

import asyncio
import errno

import aiohttp
import pytest

from bench.agents import Nothing, described
from deploy.embedded.ports import free as free_port
from enforcement import policy
from enforcement.agent import files
from enforcement.agent.admin import Admin
from enforcement.agent.applying import Applier, Parts
from enforcement.agent.attachments import Attachments
from enforcement.agent.fetching import AWAITED, Fetcher
from enforcement.agent.hubs import Hub
from enforcement.agent.state import State
from enforcement.agent.store import PolicyStore
from tests.enforcement.servers import TOKEN, Servers
from tests.enforcement.world import KEY, correction, signed

LIST = policy.subject_list(["alice", "bob"])
ADDRESS = policy.address(LIST)
LISTED = policy.SubjectList(of="user", attachment=ADDRESS, count=2)
PATTERNS = policy.canonical(
    policy.PatternSet(name="terms", version=1, patterns=(policy.Pattern(id="p1", text="secret"),))
)


@pytest.fixture
def attachments(tmp_path):
    return Attachments(tmp_path / "attachments")


@pytest.fixture
def servers():
    with Servers() as found:
        yield found


def fetch(attachments, *urls, addresses=(ADDRESS,), times=1):
    """Complete a policy's attachments from hubs; give whether it worked and what was said."""

    async def scenario():
        state = State("gateway-1")
        async with aiohttp.ClientSession() as session:
            hubs = [Hub(session, url, TOKEN, state) for url in urls]
            fetcher = Fetcher(attachments, hubs, state)
            done = await asyncio.gather(
                *(fetcher.complete(frozenset(addresses), AWAITED) for _ in range(times))
            )
        return all(done), {one.code: one.detail for one in state.report().problems}

    return asyncio.run(scenario())


def url(servers):
    return f"http://127.0.0.1:{servers.hub_port}"


def nowhere():
    return f"http://127.0.0.1:{free_port()}"


def test_a_list_and_a_set_of_patterns_are_kept_and_understood(attachments):
    for raw in (LIST, PATTERNS):
        attachments.save(policy.address(raw), raw)

    assert attachments.subjects(ADDRESS) == {"alice", "bob"}
    assert attachments.patterns(policy.address(PATTERNS)).name == "terms"
    assert attachments.missing([ADDRESS, policy.address(PATTERNS)]) == []


@pytest.mark.parametrize("raw", [LIST[:-1], b"", LIST + b"x\n"])
def test_bytes_that_are_not_what_they_are_called_are_not_kept(attachments, raw):
    with pytest.raises(policy.PolicyError, match=ADDRESS):
        attachments.save(ADDRESS, raw)

    assert attachments.missing([ADDRESS]) == [ADDRESS]


def test_what_is_lost_or_damaged_on_disk_is_missing(attachments):
    attachments.save(ADDRESS, LIST)
    [path] = attachments.folder.iterdir()
    assert attachments.missing([ADDRESS]) == []

    path.write_bytes(LIST[:-1])

    assert attachments.missing([ADDRESS]) == [ADDRESS]
    with pytest.raises(policy.PolicyError):
        Attachments(attachments.folder).subjects(ADDRESS)
    path.unlink()
    assert attachments.missing([ADDRESS]) == [ADDRESS]


def test_a_list_where_patterns_should_be_is_refused(attachments):
    attachments.save(ADDRESS, LIST)
    ref = policy.PatternsRef(attachment=ADDRESS, name="terms", version=1)
    content = policy.Content(corrections=(correction(1, policy.InputFilter(patterns=ref)),))

    with pytest.raises(policy.PolicyError):
        attachments.check(content)


def test_what_nobody_names_any_longer_is_removed_and_other_files_are_left_alone(attachments):
    for raw in (LIST, PATTERNS):
        attachments.save(policy.address(raw), raw)
    other = attachments.folder / "notes.txt"
    other.touch()

    attachments.clean([ADDRESS])

    assert sorted(path.name for path in attachments.folder.iterdir()) == sorted([ADDRESS[7:], "notes.txt"])
    with pytest.raises(policy.PolicyError):
        attachments.patterns(policy.address(PATTERNS))


def test_a_missing_attachment_comes_from_whichever_hub_has_it(attachments, servers):
    servers.attachments[ADDRESS] = LIST

    done, said = fetch(attachments, nowhere(), url(servers))

    assert (done, said) == (True, {})
    assert attachments.subjects(ADDRESS) == {"alice", "bob"}


def test_a_hub_that_sends_something_else_is_not_believed(attachments, servers):
    servers.attachments[ADDRESS] = LIST[:-1]

    done, said = fetch(attachments, url(servers))

    assert not done
    assert ADDRESS in said[AWAITED]
    assert attachments.missing([ADDRESS]) == [ADDRESS]


@pytest.fixture
def synced(monkeypatch):
    """Give the names of what has come to the disk for good."""
    found = []
    real = files._sync

    def sync(path):
        real(path)
        found.append(path.name)

    monkeypatch.setattr(files, "_sync", sync)
    return found


def test_what_a_policy_awaits_comes_to_the_disk_when_that_policy_does(attachments, servers, synced):
    servers.attachments[ADDRESS] = LIST
    assert fetch(attachments, url(servers))[0]
    assert synced == []

    attachments.settle([ADDRESS])
    attachments.settle([ADDRESS])

    assert synced == [ADDRESS[7:], "attachments"]


def test_what_an_earlier_agent_fetched_and_did_not_settle_comes_to_the_disk_too(attachments, servers, synced):
    servers.attachments[ADDRESS] = LIST
    assert fetch(attachments, url(servers))[0]
    again = Attachments(attachments.folder)
    assert fetch(again)[0]

    again.settle([ADDRESS])

    assert synced == [ADDRESS[7:], "attachments"]


def test_what_was_written_once_more_comes_to_the_disk_once_more(attachments, synced):
    attachments.save(ADDRESS, LIST)
    attachments.settle([ADDRESS])
    synced.clear()
    [path] = attachments.folder.iterdir()
    path.unlink()
    path.write_bytes(LIST)
    assert attachments.missing([ADDRESS]) == []

    attachments.settle([ADDRESS])

    assert synced == [ADDRESS[7:], "attachments"]


def test_what_was_lost_before_it_came_to_the_disk_is_an_error_and_then_missing(attachments, servers):
    servers.attachments[ADDRESS] = LIST
    assert fetch(attachments, url(servers))[0]
    (attachments.folder / ADDRESS[7:]).unlink()

    with pytest.raises(OSError, match=ADDRESS[7:]):
        attachments.settle([ADDRESS])

    assert attachments.missing([ADDRESS]) == [ADDRESS]


@pytest.mark.parametrize(
    ("reason", "kept"), [(errno.EIO, False), (errno.ENOSPC, False), (errno.EMFILE, True)]
)
def test_only_what_the_disk_did_not_take_is_fetched_again(attachments, monkeypatch, reason, kept):
    attachments.save(ADDRESS, LIST, durable=False)

    def refuse(_path):
        raise OSError(reason, "refused")

    monkeypatch.setattr(files, "_sync", refuse)
    with pytest.raises(OSError, match="refused"):
        attachments.settle([ADDRESS])

    assert attachments.missing([ADDRESS]) == ([] if kept else [ADDRESS])


def test_what_another_policy_named_holds_up_none(attachments, servers, synced):
    servers.attachments[ADDRESS] = LIST
    assert fetch(attachments, url(servers))[0]
    (attachments.folder / ADDRESS[7:]).unlink()

    attachments.settle([])

    assert synced == []


def take(attachments, servers, folder):
    """Take a policy that names the list, as an agent without an Envoy does."""
    block = correction(1, policy.Block(), users=policy.Users(lists=(LISTED,)))

    async def scenario():
        state = State("gateway-1")
        async with aiohttp.ClientSession() as session:
            fetcher = Fetcher(attachments, [Hub(session, url(servers), TOKEN, state)], state)
            store = PolicyStore(folder, {"test": KEY.public_key()})
            parts = Parts(store, attachments, fetcher, Admin(session, free_port()), Nothing(), state)
            applier = Applier(parts)
            applier.gateway = described("gateway-1", folder)
            return await applier.take(signed(1, block)), store.current.version

    return asyncio.run(scenario())


def test_a_policy_is_on_the_disk_only_after_what_it_names(attachments, servers, synced, tmp_path):
    servers.attachments[ADDRESS] = LIST

    assert take(attachments, servers, tmp_path) == (True, 1)
    assert synced == [ADDRESS[7:], "attachments", tmp_path.name]


def test_so_it_is_after_an_agent_that_was_killed_between_the_two(attachments, servers, synced, tmp_path):
    servers.attachments[ADDRESS] = LIST
    assert fetch(attachments, url(servers))[0]

    assert take(Attachments(attachments.folder), servers, tmp_path) == (True, 1)
    assert servers.fetched == [ADDRESS]
    assert synced == [ADDRESS[7:], "attachments", tmp_path.name]


def test_a_policy_from_two_hubs_is_completed_once(attachments, servers):
    servers.attachments[ADDRESS] = LIST

    assert fetch(attachments, url(servers), times=5)[0]

    assert servers.fetched == [ADDRESS]


def test_what_cannot_be_stored_is_told(attachments, servers):
    servers.attachments[ADDRESS] = LIST
    attachments.folder.write_text("in the way")

    done, said = fetch(attachments, url(servers))

    assert not done
    assert ADDRESS in said["disk"]
