"""``irapp-policy verify``."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enforcement import policy
from tests.enforcement.cli.conftest import correction

ROOT = Path(__file__).resolve().parents[3]
ALICE = policy.Users(users=("alice",))


def listed(address, count):
    return policy.Users(lists=(policy.SubjectList(of="user", attachment=address, count=count),))


def test_what_was_signed_verifies(write, keys, run):
    code, out, _ = run("verify", write(correction(1, policy.Block(), users=ALICE)), "--keys", keys)

    assert code == 0
    assert "verified" in out
    assert "version      7" in out
    assert "1 block" in out


def test_a_changed_byte_a_strange_key_and_an_unknown_field_do_not_verify(write, keys, run, tmp_path):
    path = write(correction(1, policy.Block(), users=ALICE))
    changed = tmp_path / "changed.json"
    changed.write_bytes(Path(path).read_bytes().replace(b"alice", b"alicf"))
    unknown = tmp_path / "unknown.json"
    unknown.write_bytes(Path(path).read_bytes().replace(b'"version":7', b'"version":7,"more":1'))
    strange = write(
        correction(2, policy.Block(), users=ALICE), name="s.json", key=Ed25519PrivateKey.generate()
    )

    answers = [run("verify", each, "--keys", keys) for each in (str(changed), str(unknown), strange)]

    assert [code for code, _, _ in answers] == [1, 1, 1]
    assert "digest: does not match" in answers[0][1]
    assert "unknown field `more`" in answers[1][1]
    assert "signature: does not verify" in answers[2][1]


def test_attachments_are_looked_at_where_their_folder_is_given(write, keys, run, attach):
    there = attach(policy.subject_list(["alice", "bob"]))
    path = write(correction(1, policy.Block(), users=listed(there, 2)))

    code, out, _ = run("verify", path, "--keys", keys, "--attachments", attach.folder)

    assert (code, "there, 2 names" in out) == (0, True)


def test_a_missing_a_falsified_and_a_miscounted_attachment_are_named(write, keys, run, attach):
    missing = policy.address(b"nobody\n")
    false = attach(policy.subject_list(["carol"]))
    miscounted = attach(policy.subject_list(["dave"]))
    Path(attach.folder, false.removeprefix("sha256:")).write_bytes(b"mallory\n")
    path = write(
        correction(1, policy.Block(), users=listed(missing, 1)),
        correction(2, policy.Block(), users=listed(false, 1)),
        correction(3, policy.Block(), users=listed(miscounted, 5)),
    )

    code, out, _ = run("verify", path, "--keys", keys, "--attachments", attach.folder, "--json")

    said = json.loads(out)
    assert code == 1
    assert not said["verified"]
    assert said["attachments"][missing] == "missing"
    assert "other bytes" in said["attachments"][false]
    assert said["attachments"][miscounted] == "1 names, the policy says 5"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verify", "no-such-file", "--keys", "KEYS"], "no-such-file: No such file or directory"),
        (["verify", "POLICY", "--keys", "no-keys"], "no-keys: No such file"),
        (["verify", "POLICY", "--keys", "POLICY"], "Expected `str`"),
        (["verify", "POLICY", "--keys", "KEYS", "--attachments", "nowhere"], "nowhere: no such folder"),
        (["explain", "POLICY"], "name the model"),
        (["explain", "POLICY", "--model", "m", "--attributes", "KEYS"], "no such attribute: test"),
        (["explain", "KEYS", "--model", "m"], "unknown field `test`"),
        (["diff", "POLICY", "no-such-file"], "no-such-file"),
        (["diff", "POLICY", "POLICY", "--keys", "POLICY"], "Expected `str`"),
    ],
)
def test_bad_input_is_named_and_answered_with_two(write, keys, run, arguments, words):
    path = write(correction(1, policy.Block(), users=ALICE))
    given = [{"POLICY": path, "KEYS": keys}.get(each, each) for each in arguments]

    code, out, err = run(*given)

    assert code == 2
    assert err.startswith("irapp-policy: ")
    assert words in err
    assert out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["verify"],
        ["explain", "f", "--at", "yesterday"],
        ["explain", "f", "--at", "2026-01-01"],
    ],
)
def test_bad_arguments_are_answered_with_two(run, arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        run(*arguments)

    assert ended.value.code == 2
    assert "irapp-policy" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [[sys.executable, "-m", "enforcement.cli"], ["enforcement/cli/irapp-policy"]]
)
def test_it_runs_as_a_module_and_as_a_program(write, keys, command):
    path = write(correction(1, policy.Block(), users=ALICE))

    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(
        [*command, "verify", path, "--keys", keys],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("verified")


def test_it_reads_standard_input(write, keys):
    path = write(correction(1, policy.Block(), users=ALICE))

    done = subprocess.run(
        [sys.executable, "-m", "enforcement.cli", "verify", "-", "--keys", keys],
        cwd=ROOT,
        input=Path(path).read_bytes(),
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0
