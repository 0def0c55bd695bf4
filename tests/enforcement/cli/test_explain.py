"""``irapp-policy explain``: the reference's verdict, with its reasons."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings

from enforcement import policy
from enforcement.cli.explaining import explain
from enforcement.decide import NoAttachments, decide
from tests.enforcement.cli.conftest import correction
from tests.enforcement.generated import attributes, contents

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = ("--at", "2026-03-01T12:00:00Z")
ALICE = policy.Users(users=("alice",))
LARGE = policy.Functionality(models=("large",))


def outcomes(out):
    return {each["id"]: each["outcome"] for each in json.loads(out)["corrections"]}


@settings(max_examples=300, deadline=None)
@given(contents(), attributes())
def test_an_explanation_always_agrees_with_the_decision(content, asked):
    told = explain(asked, content, now=NOW, attachments=NoAttachments())

    verdict = decide(asked, content, now=NOW)
    reached = {
        each.id
        for each in told.corrections
        if each.outcome not in {"does not match", "not in force", "exempted"}
    }
    shadows = {item.id for item in content.corrections if item.mode == "shadow"}
    assert told.verdict == verdict
    assert reached - shadows == set(verdict.matched)
    assert [each.id for each in told.corrections if each.outcome == "refuses"] == (
        [verdict.correction] if verdict.correction else []
    )
    for each in told.corrections:
        assert (each.outcome == "does not match") == any(not one.holds for one in each.conditions)


def test_who_is_refused_is_told_by_which_correction_and_why(write, run):
    path = write(
        correction(1, policy.Block(), users=ALICE, functionality=LARGE),
        correction(2, policy.Suspend(), functionality=policy.Functionality(models=("small",))),
    )

    code, out, _ = run("explain", path, "--user", "alice", "--model", "large", *AT)

    assert code == 1
    assert "REFUSED 403 access_restricted by COR-0001.1" in out
    assert "✓ user alice is named" in out
    assert "✓ model large is among large" in out
    assert "1 more does not match or not bind now" in out


def test_who_is_served_sees_with_all_why_nothing_matched(write, run):
    path = write(
        correction(1, policy.Block(), users=ALICE), correction(2, policy.Suspend(), functionality=LARGE)
    )

    code, out, _ = run("explain", path, "--user", "bob", "--model", "small", "--all", *AT)

    assert code == 0
    assert "verdict   SERVED" in out
    assert "does not match, none of user bob is named" in out
    assert "does not match, model small is not among large" in out


def test_what_comes_first_speaks_and_the_rest_is_told_to_come_after(write, run):
    path = write(
        correction(1, policy.Block(), users=ALICE),
        correction(2, policy.Suspend(), functionality=LARGE),
    )

    _, out, _ = run("explain", path, "--user", "alice", "--model", "large", "--json", *AT)

    assert outcomes(out) == {"COR-0002.1": "refuses", "COR-0001.1": "matches"}
    assert json.loads(out)["corrections"][1]["because"] == "COR-0002.1 comes before it"


def test_exemptions_limits_caps_dry_runs_warnings_times_and_shares_have_words(write, run):
    path = write(
        correction(1, policy.Block(), users=ALICE),
        correction(2, policy.Exempt(corrections=("COR-0001",)), users=ALICE),
        correction(3, policy.RequestLimit(requests=5, window_seconds=60)),
        correction(4, policy.OutputCap(max_tokens=64)),
        correction(5, policy.ToolsOff(), mode="shadow"),
        correction(6, policy.ToolsOff(tools=("shell",)), grace_until=NOW + timedelta(hours=1)),
        correction(7, policy.Block(), users=ALICE, starts_at=NOW + timedelta(hours=1)),
        correction(8, policy.Block(), users=ALICE, expires_at=NOW, at_expiry="lift"),
        correction(9, policy.TokenLimit(tokens=9, window_seconds=60), mode="shadow"),
    )

    asked = ("--user", "alice", "--model", "large", "--tool", "shell")
    code, out, _ = run("explain", path, *asked, "--json", *AT)

    assert code == 0
    assert outcomes(out) == {
        "COR-0001.1": "exempted",
        "COR-0002.1": "exempts",
        "COR-0003.1": "limits",
        "COR-0004.1": "caps",
        "COR-0005.1": "dry run",
        "COR-0006.1": "warns",
        "COR-0007.1": "not in force",
        "COR-0008.1": "not in force",
        "COR-0009.1": "dry run",
    }
    _, text, _ = run("explain", path, *asked, "--all", *AT)
    for words in (
        "exempted, by COR-0002.1",
        "5 requests per 60 s, counted for user alice",
        "output at 64 tokens",
        "it would refuse or change the request",
        "from 2026-03-01T13:00:00+00:00 on it refuses",
        "it starts at 2026-03-01T13:00:00+00:00",
        "it ended at 2026-03-01T12:00:00+00:00",
        "it is counted and never refuses",
        "warned by COR-0006.1",
    ):
        assert words in text


def test_a_reroute_is_followed_and_the_models_are_told(write, run):
    path = write(
        correction(1, policy.Reroute(fallback_model="small"), functionality=LARGE),
        correction(2, policy.OutputCap(max_tokens=9), functionality=policy.Functionality(models=("small",))),
    )

    _, out, _ = run("explain", path, "--user", "alice", "--model", "large", *AT)

    assert "models    large → small" in out
    assert "COR-0002.1  output_cap: caps" in out


def test_a_share_tells_the_place_of_the_user(write, run):
    path = write(correction(1, policy.OutputCap(max_tokens=9), percentage=50))

    told = [run("explain", path, "--user", f"u{n}", "--model", "m", "--all", *AT)[1] for n in range(9)]

    assert any("caps" in each for each in told)
    assert any("does not match, user" in each and "reached are those below 50" in each for each in told)


def test_a_list_is_read_from_the_folder_and_asked_for_where_it_is_missing(write, run, attach):
    address = attach(policy.subject_list(["alice", "bob"]))
    users = policy.Users(lists=(policy.SubjectList(of="user", attachment=address, count=2),))
    path = write(correction(1, policy.Block(), users=users))

    found = run("explain", path, "--user", "bob", "--model", "m", "--attachments", attach.folder)
    lost = run("explain", path, "--user", "bob", "--model", "m")

    assert found[0] == 1
    assert "user bob (in the list" in found[1]
    assert lost[0] == 2
    assert "name its folder with --attachments" in lost[2]


def test_the_request_may_come_as_its_body_and_as_attributes_with_options_on_top(write, run, tmp_path):
    path = write(
        correction(1, policy.ToolsOff(tools=("shell",)), users=ALICE),
        correction(2, policy.TurnLimit(turns=1), users=policy.Users(users=("bob",))),
    )
    body = tmp_path / "body.json"
    talk = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    tools = [{"type": "function", "function": {"name": "shell"}}]
    body.write_text(json.dumps({"model": "large", "messages": talk, "tools": tools, "stream": True}))
    known = tmp_path / "attributes.json"
    known.write_text(json.dumps({"user": "bob", "organisation": "acme"}))

    as_bob = run("explain", path, "--attributes", str(known), "--body", str(body), *AT)
    as_alice = run("explain", path, "--attributes", str(known), "--body", str(body), "--user", "alice", *AT)

    assert "turns_limited by COR-0002.1" in as_bob[1]
    assert "tools_restricted by COR-0001.1" in as_alice[1]
    assert "organisation acme" in as_alice[1]
    assert "features streaming" in as_alice[1]


def test_the_signature_is_looked_at_where_keys_are_given(write, keys, run, tmp_path):
    path = write(correction(1, policy.Block(), users=ALICE))
    forged = tmp_path / "forged.json"
    forged.write_bytes(Path(path).read_bytes().replace(b"alice", b"alicf"))

    assert run("explain", path, "--model", "m", "--keys", keys)[0] == 0
    code, _, err = run("explain", str(forged), "--model", "m", "--keys", keys)

    assert code == 2
    assert "digest: does not match" in err


@pytest.mark.parametrize("name", ["turns", "max-tokens"])
def test_an_attribute_of_the_wrong_kind_is_named(write, run, tmp_path, name):
    known = tmp_path / "attributes.json"
    known.write_text(json.dumps({name.replace("-", "_"): "many"}))

    code, _, err = run("explain", write(), "--model", "m", "--attributes", str(known))

    assert code == 2
    assert f"`$.{name.replace('-', '_')}`" in err
