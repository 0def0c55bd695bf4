"""What the agent notices of the files that it wrote."""

from __future__ import annotations

import os

import pytest

from enforcement.agent.placed import Placed


@pytest.fixture
def file(tmp_path):
    return tmp_path / "corrections.json"


@pytest.fixture
def placed(file):
    found = Placed()
    found.put(file, b'{"name": "alice"}')
    return found


def rewritten(file):
    stamp = file.stat()
    file.write_bytes(b'{"name": "al1ce"}')  # as long, and as old
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def made_a_folder(file):
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("meddle", [rewritten, made_a_folder, os.unlink])
def test_a_file_that_somebody_else_changed_or_removed_is_named(placed, file, meddle):
    meddle(file)

    assert placed.meddled() == ["corrections.json"]


def test_one_that_was_put_right_is_named_no_more(placed, file):
    rewritten(file)

    assert placed.put(file, b'{"name": "alice"}')
    assert placed.meddled() == []


def test_one_that_was_only_touched_or_copied_over_itself_is_not_named(placed, file):
    os.utime(file)
    assert placed.meddled() == []

    copy = file.with_name("copy")
    copy.write_bytes(file.read_bytes())
    copy.rename(file)
    assert placed.meddled() == []


def test_what_says_the_same_is_not_written_again(placed, file):
    before = file.stat().st_ino

    assert not placed.put(file, b'{"name": "alice"}')
    assert file.stat().st_ino == before


def test_what_could_not_be_written_is_not_taken_for_meddling(placed, file, monkeypatch):
    def full(*_args):
        raise OSError("no space left")

    monkeypatch.setattr("enforcement.agent.files.write", full)
    with pytest.raises(OSError, match="no space"):
        placed.put(file, b"{}")

    assert placed.meddled() == []


def test_what_somebody_else_writes_is_watched_and_removed_when_it_was_changed(placed, file):
    watched = [file.with_name(name) for name in ("one.list", "two.list")]
    for each in watched:
        each.write_bytes(b"alice")
    placed.watch(frozenset(watched))
    assert placed.meddled() == []

    rewritten(watched[0])
    placed.watch(frozenset(watched))  # a policy that comes just now changes nothing about it
    assert placed.meddled() == ["one.list"]
    assert not watched[0].exists()

    watched[0].write_bytes(b"alice")
    assert placed.meddled() == []
    rewritten(watched[1])
    placed.watch(frozenset(watched[:1]))
    assert placed.meddled() == []
    assert watched[1].exists()
