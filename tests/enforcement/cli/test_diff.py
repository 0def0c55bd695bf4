"""``irapp-policy diff``."""

import json

from enforcement import policy
from tests.enforcement.cli.conftest import correction

ALICE = policy.Users(users=("alice",))


def listed(address, count):
    return policy.Users(lists=(policy.SubjectList(of="user", attachment=address, count=count),))


def test_the_same_content_is_the_same_whatever_its_version_and_key(write, run):
    item = correction(1, policy.Block(), users=ALICE)

    code, out, _ = run("diff", write(item, name="a"), write(item, name="b", version=9))

    assert (code, out) == (0, "the same\n")


def test_what_came_what_went_and_what_changed_is_told_field_by_field(write, run):
    old = write(
        correction(1, policy.Block(), users=ALICE),
        correction(2, policy.OutputCap(max_tokens=64), percentage=10),
        correction(3, policy.ForbidUse(), functionality=policy.Functionality(use_cases=("medical",))),
        name="old",
    )
    new = write(
        correction(1, policy.Block(), users=policy.Users(users=("bob",))),
        correction(2, policy.OutputCap(max_tokens=32), percentage=50, version=2),
        correction(4, policy.Suspend(), functionality=policy.Functionality(models=("m",))),
        name="new",
    )

    code, out, _ = run("diff", old, new)

    assert code == 1
    assert out.splitlines() == [
        "+ COR-0004.1  suspend",
        "- COR-0003.1  forbid_use",
        "~ COR-0001.1",
        "    users.users: +1 (bob) -1 (alice)",
        "~ COR-0002.1 → COR-0002.2",
        "    effect.max_tokens: 64 → 32",
        "    percentage: 10 → 50",
    ]


def test_long_lists_are_compared_by_who_stands_in_them(write, run, attach):
    before = attach(policy.subject_list(f"user-{n:03}" for n in range(100)))
    after = attach(policy.subject_list(f"user-{n:03}" for n in range(93, 107)))
    old = write(correction(1, policy.Block(), users=listed(before, 100)), name="old")
    new = write(correction(1, policy.Block(), users=listed(after, 14)), name="new")

    code, out, _ = run("diff", old, new, "--attachments", attach.folder)

    assert code == 1
    assert "+7 (user-100, user-101, user-102, user-103, user-104, …)" in out
    assert "-93 (user-000, user-001, user-002, user-003, user-004, …)" in out


def test_lists_split_otherwise_with_the_same_names_are_no_change_of_names(write, run, attach):
    whole = attach(policy.subject_list(["alice", "bob"]))
    base, recent = attach(policy.subject_list(["alice"])), attach(policy.subject_list(["bob"]))
    lists = tuple(policy.SubjectList(of="user", attachment=each, count=1) for each in sorted((base, recent)))
    old = write(correction(1, policy.Block(), users=listed(whole, 2)), name="old")
    new = write(correction(1, policy.Block(), users=policy.Users(lists=lists)), name="new")

    code, out, _ = run("diff", old, new, "--attachments", attach.folder)

    assert code == 1
    assert "users.lists (user): the same names in other lists" in out


def test_lists_that_are_not_at_hand_are_told_by_count(write, run):
    old = write(correction(1, policy.Block(), users=listed("sha256:" + "1" * 64, 3)), name="old")
    new = write(correction(1, policy.Block(), users=listed("sha256:" + "2" * 64, 4)), name="new")

    code, out, _ = run("diff", old, new)

    assert code == 1
    assert "users.lists (user): 3 in sha256:111111111111… → 4 in sha256:222222222222…" in out


def test_another_kind_of_effect_is_a_change_of_its_fields(write, run):
    old = write(correction(1, policy.OutputCap(max_tokens=64)), name="old")
    new = write(correction(1, policy.ToolsOff(tools=("shell",))), name="new")

    code, out, _ = run("diff", old, new, "--json")

    said = json.loads(out)
    fields = {each["field"]: (each["before"], each["after"]) for each in said["changed"][0]["changes"]}
    assert code == 1
    assert not said["same"]
    assert fields["effect.kind"] == ("output_cap", "tools_off")
    assert fields["effect.max_tokens"] == (64, None)
