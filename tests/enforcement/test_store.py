"""The agent's store, its reading of the access log, and what it plans to probe."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from enforcement import policy
from enforcement.agent import files
from enforcement.agent.store import PolicyStore, StaleError
from enforcement.agent.traffic import AccessLog, filter_events
from enforcement.decide import decide, matches
from enforcement.probes import plan
from tests.enforcement import generated
from tests.enforcement.world import KEY, correction, signed

KEYS = {"test": KEY.public_key()}
NOW = datetime(2026, 3, 1, tzinfo=UTC)
BLOCK = correction(1, policy.Block(), users=policy.Users(users=("alice",)))


@pytest.fixture
def store(tmp_path):
    return PolicyStore(tmp_path, KEYS)


def take(store, raw):
    arrived = store.verified(raw)
    if store.is_news(arrived.policy):
        store.save(arrived)
    return arrived.policy


def test_the_newest_policy_and_the_one_before_are_on_disk(store, tmp_path):
    take(store, signed(1))
    take(store, signed(2, BLOCK))

    again = PolicyStore(tmp_path, KEYS)

    assert again.load() == ""
    assert (again.current.version, again.previous.content) == (2, policy.Content())


@pytest.mark.parametrize("version", [1, 2, 4])
def test_only_what_is_not_newer_is_refused(store, version):
    take(store, signed(3))
    take(store, signed(3))

    if version == 4:
        assert take(store, signed(version, BLOCK)).version == 4
    else:
        with pytest.raises(StaleError):
            take(store, signed(version, BLOCK))
        assert store.current.version == 3


def test_another_content_under_a_known_version_is_refused(store):
    take(store, signed(3))

    with pytest.raises(StaleError, match="another content"):
        take(store, signed(3, BLOCK))


def test_a_policy_taken_back_is_gone_from_disk(store, tmp_path):
    take(store, signed(1))
    take(store, signed(2, BLOCK))

    store.take_back()

    again = PolicyStore(tmp_path, KEYS)
    again.load()
    assert again.current.version == 1


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file"
    files.write(path, b"old", durable=True)

    with pytest.raises(TypeError):
        files.write(path, None)

    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


LINE = {
    "at": "2026-03-01T12:00:00.000001Z",
    "status": 200,
    "correction": "-",
    "request": {
        "user": "alice",
        "organisation": "acme",
        "key": "key-alice",
        "application": "app",
        "use_case": "research",
        "endpoint": "messages",
        "model": "aurora-large",
        "stream": False,
        "max_tokens": None,
    },
}


@pytest.fixture
def log(tmp_path):
    found = AccessLog(tmp_path, "gateway-1")
    found.path.touch()
    return found


def write(log, *lines):
    with log.path.open("a") as file:
        file.writelines(json.dumps({**LINE, **line}) + "\n" for line in lines)


def test_refusals_and_shadow_matches_count_once_however_often_a_batch_is_read(log, tmp_path):
    shadow = {**LINE["request"], "shadow": ["COR-0002.1"]}
    write(log, {"status": 403, "correction": "COR-0001.1"}, {"correction": "COR-0003.1"}, {"request": shadow})

    log.read()
    batch = log.read()
    log.done(batch)

    assert len(batch.records) == 3
    assert log.refused == {"COR-0001.1": 1, "COR-0002.1": 1}
    assert AccessLog(tmp_path, "gateway-1").refused == log.refused
    assert AccessLog(tmp_path, "gateway-1").read().records == []


def test_probes_and_lines_cut_off_are_left_out_and_half_a_line_is_waited_for(log):
    write(log, {"request": {**LINE["request"], "probe": True}}, {})
    with log.path.open("a") as file:
        file.write('{"at": "20\n{"at": ')

    batch = log.read()
    log.done(batch)

    assert [record.user for record in batch.records] == ["alice"]
    assert log.read().records == []


def test_every_record_has_one_number_however_often_and_by_whom_it_is_read(log, tmp_path):
    write(log, {}, {"request": {**LINE["request"], "probe": True}}, {})
    first, again = log.read().records, log.read().records
    log.done(log.read())
    write(log, {})
    later = AccessLog(tmp_path, "gateway-1").read().records

    assert [record.seq for record in first] == [record.seq for record in again] == [1, 2]
    assert [record.seq for record in later] == [3]
    assert len({record.log for record in (*first, *later)} - {""}) == 1


def test_a_place_that_is_lost_starts_another_counting(log, tmp_path):
    write(log, {})
    name = log.read().records[0].log
    log.done(log.read())
    (tmp_path / "access.place.json").write_text("{")

    [again] = AccessLog(tmp_path, "gateway-1").read().records

    assert again.seq == 1
    assert again.log not in ("", name)


def test_what_the_script_wrote_down_is_told_as_it_is(log):
    more = {
        "region": "eu",
        "tier": "enterprise",
        "platform": "app",
        "features": ["mcp"],
        "body_bytes": 77,
        "warned": ["COR-0004.1"],
        "shadow": ["COR-0002.1"],
        "policy": 12,
        "tools": ["t"],
    }
    write(log, {"request": {**LINE["request"], **more}})

    [record] = log.read().records

    assert {name: getattr(record, name) for name in more} == {
        name: tuple(value) if isinstance(value, list) else value for name, value in more.items()
    }


EVENT = {
    "at": "2026-03-01T12:00:00.000001+00:00",
    "correction": "COR-0005.1",
    "what": "flagged",
    "where": "output",
    "refused": False,
    "policy": 7,
    "request": {**LINE["request"], "turns": 3},
}


def events(folder, *changes):
    log = filter_events(folder, folder, "gateway-1")
    with log.path.open("a") as file:
        file.writelines(json.dumps({**EVENT, **change}) + "\n" for change in changes)
    return log.read()


def test_what_the_content_filter_did_is_told_beside_the_request_and_not_as_another_one(tmp_path):
    acts = [{"what": what} for what in ("flagged", "redacted", "blocked", "shadow")]
    batch = events(tmp_path, *acts, {"what": "blocked", "refused": True})

    found = [(one.status, one.correction, one.flagged, one.shadow, one.weight) for one in batch.records]
    name = "COR-0005.1"
    assert found == [
        (200, None, (name,), (), 0),
        (200, name, (), (), 0),
        (403, name, (), (), 0),
        (200, None, (), (name,), 0),
    ]
    assert batch.refused == {name: 2}
    assert {(one.user, one.policy) for one in batch.records} == {("alice", 7)}


def test_what_is_unread_in_a_file_put_aside_is_read_before_the_new_one(log):
    write(log, {}, {})
    log.done(log.read())
    write(log, {"status": 403, "correction": "COR-0001.1"})
    log.path.rename(log.path.with_suffix(".log.1"))
    write(log, {"status": 403, "correction": "COR-0002.1"})

    seen = []
    for _ in range(3):
        batch = log.read()
        seen += [(record.seq, record.correction) for record in batch.records]
        log.done(batch)

    assert seen == [(3, "COR-0001.1"), (4, "COR-0002.1")]


def test_a_dry_run_of_a_limit_is_told_like_any_other(log):
    write(log, {"dry": {"COR-0007.1": True}})
    with log.path.open("a") as file:
        file.write(json.dumps(LINE)[:-1] + ',"dry":-}\n')

    assert [record.shadow for record in log.read().records] == [("COR-0007.1",), ()]


def test_a_new_log_file_is_read_from_its_start(log):
    write(log, {})
    log.done(log.read())
    log.path.rename(log.path.with_suffix(".old"))
    write(log, {}, {})

    assert len(log.read().records) == 2


def probes_of(item, *others):
    content = policy.Content(corrections=tuple(sorted((item, *others), key=lambda one: one.id)))
    return plan(item, content, models=("aurora-large", "aurora-small"), now=NOW)


def test_a_block_is_probed_for_each_list_on_every_endpoint_and_beside_it():
    users = policy.Users(users=("a", "b", "c"), organisations=("acme",), keys=("key-1",))
    found = probes_of(correction(1, policy.Block(), users=users))

    inside = {(one.attributes.user, one.attributes.organisation) for one in found if one.subject == "inside"}
    assert {"a", "c"} <= {user for user, _ in inside}
    assert "acme" in {organisation for _, organisation in inside}
    assert {one.attributes.endpoint for one in found} == set(policy.ENDPOINTS)
    assert {(one.subject, one.expect) for one in found} == {("inside", "refuse"), ("beside", "pass")}


def test_a_probe_expects_what_a_stricter_correction_makes_of_it():
    suspend = correction(2, policy.Suspend(), functionality=policy.Functionality(models=("aurora-large",)))
    found = probes_of(BLOCK, suspend)

    assert {one.verdict.correction for one in found if one.subject == "inside"} == {"COR-0002.1"}


def test_what_reaches_everything_has_nothing_beside_it():
    limit = correction(1, policy.RequestLimit(requests=5, window_seconds=1))

    assert {(one.subject, one.expect, one.limit) for one in probes_of(limit)} == {("inside", "limit", 5)}


@settings(max_examples=30, deadline=None)
@given(generated.contents())
def test_every_correction_has_probes_that_the_reference_agrees_with(content):
    for item in content.corrections:
        found = plan(item, content, models=generated.MODELS, now=NOW)

        assert found
        for one in found:
            assert one.verdict == decide(one.attributes, content, now=NOW)
            if one.subject == "inside" and item.mode == "enforce" and matches(item, one.attributes):
                assert item.id in one.verdict.matched or one.verdict.correction is not None
            alone = replace_content(item)
            lonely = decide(replace(one.attributes), alone, now=NOW)
            if one.subject == "beside":
                assert (lonely.action, lonely.limits, lonely.max_tokens) == ("allow", (), None)


def replace_content(item):
    return policy.Content(corrections=(item,))
