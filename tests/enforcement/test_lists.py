"""Long lists of subjects at the gateway: files that the script looks names up in."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest

from enforcement import policy
from enforcement.envoy import lists, render
from tests.enforcement.bare import SOMEBODY
from tests.enforcement.world import KEY, correction

NAMES = [f"user-{number:05}" for number in range(20_000)]


def blocking(address, of="user", **more):
    users = policy.Users(lists=(policy.SubjectList(of=of, attachment=address, count=1),), **more)
    return policy.Content(corrections=(correction(1, policy.Block(), users=users),))


def refused(gateway, **who):
    return gateway.ask(replace(SOMEBODY, **who)).status == 403


def test_every_name_of_a_list_is_found_and_no_other(bare):
    bare.enforce(blocking(bare.attach(policy.subject_list([*NAMES, "zoë"]))))

    assert refused(bare, user="zoë")
    assert all(refused(bare, user=name) for name in NAMES[::500])
    others = ("user-", "user-0000", "user-000001", "ser-00001", "USER-00001", "user-99999", "", "zo")
    assert not any(refused(bare, user=name) for name in others)


@pytest.mark.parametrize("of", ["user", "organisation", "key"])
def test_a_list_names_users_organisations_or_keys(bare, of):
    bare.enforce(blocking(bare.attach(policy.subject_list(["acme"])), of))

    assert [name for name in ("user", "organisation", "key") if refused(bare, **{name: "acme"})] == [of]


def test_a_list_of_one_name_and_short_names_beside_it_are_all_reached(bare):
    bare.enforce(blocking(bare.attach(policy.subject_list(["alone"])), users=("alice",), regions=("eu",)))

    assert refused(bare, user="alone")
    assert not any(refused(bare, user=name) for name in ("alon", "lone", "alonee", "", "lon"))
    assert refused(bare, user="alice")
    assert refused(bare, region="eu")
    assert not refused(bare, user="bob", region="us")


def test_a_damaged_or_missing_list_leaves_the_last_good_policy_in_force(bare):
    bare.enforce(blocking(bare.attach(policy.subject_list(["first"]))))
    second = blocking(bare.attach(policy.subject_list(["second", "third", "fourth"])))
    signed = policy.sign(second, version=bare.version + 1, key=KEY, key_id="test")
    rendered = render.policy_files(bare.gateway, signed, bare)
    path = max((bare.folder / lists.FOLDER).iterdir(), key=lambda each: each.stat().st_mtime_ns)
    whole = path.read_bytes()

    count = len(lists.MAGIC)
    fewer = whole[:count] + (1).to_bytes(4, "little") + whole[count + 4 :]
    for damage in (None, whole[:-1], b"x" + whole[1:], fewer):
        path.unlink() if damage is None else path.write_bytes(damage)
        for file in rendered:
            fresh = bare.folder / f".{file.name}"
            fresh.write_bytes(file.data)
            fresh.replace(bare.folder / file.name)
        time.sleep(0.1)
        assert refused(bare, user="first")
        assert not refused(bare, user="second")
        path.write_bytes(whole)


def test_a_list_is_written_once_and_again_only_when_it_is_not_whole(tmp_path):
    raw = policy.subject_list(NAMES)
    kept = {policy.address(raw): raw}

    class Kept:
        raw = staticmethod(kept.__getitem__)

    first = lists.write(tmp_path, kept, Kept())
    (found,) = first.values()
    again = lists.write(tmp_path, kept, None)
    os.truncate(tmp_path / found.name, found.size - 1)

    assert again == first
    with pytest.raises(policy.PolicyError, match="not at hand"):
        lists.write(tmp_path, kept, None)
    (anew,) = lists.write(tmp_path, kept, Kept()).values()
    assert anew[:2] == found[:2]
    assert anew.written > found.written  # so that the script reads it again
    assert [path.name for path in tmp_path.iterdir()] == [found.name]


def test_a_list_stays_for_a_while_after_the_last_policy_that_named_it(tmp_path):
    raws = {policy.address(raw): raw for raw in (policy.subject_list(["a"]), policy.subject_list(["b"]))}

    class Kept:
        raw = staticmethod(raws.__getitem__)

    old, new = (each.name for each in lists.write(tmp_path, raws, Kept()).values())
    lists.clean(tmp_path, [f"sha256:{new}"])
    assert {path.name for path in tmp_path.iterdir()} == {old, new}

    before = time.time() - lists.KEPT_SECONDS - 1
    os.utime(tmp_path / old, (before, before))
    lists.clean(tmp_path, [f"sha256:{new}"])

    assert {path.name for path in tmp_path.iterdir()} == {new}
