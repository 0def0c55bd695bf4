"""The hub as a real process: what policies name by content address."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from enforcement import policy
from tests.enforcement.hub_process import AGENT, CONTROL, DIGEST, KEY, HubProcess

LIST = policy.subject_list(f"user-{number}" for number in range(5000))
OTHER = policy.subject_list(["somebody"])


@pytest.fixture
def hub(tmp_path):
    process = HubProcess(tmp_path).start()
    yield process
    process.end(signal.SIGKILL)


def bring(hub, raw, address=None, **options):
    return hub.call("PUT", f"/v1/attachments/{address or policy.address(raw)}", raw, **options)


def look(hub, raw, method="GET", **options):
    return hub.call(method, f"/v1/attachments/{policy.address(raw)}", **({"token": AGENT} | options))


def naming(version, *lists):
    users = policy.Users(
        users=("alice",),
        lists=tuple(policy.SubjectList(of="user", attachment=policy.address(raw), count=1) for raw in lists),
    )
    block = policy.Correction(id="COR-0001.1", effect=policy.Block(), users=users, approval_digest=DIGEST)
    content = policy.Content(corrections=(block,))
    return policy.encode(policy.sign(content, version=version, key=KEY, key_id="test"))


def file_of(hub, raw):
    return hub.state / "attachments" / policy.address(raw).removeprefix("sha256:")


def test_what_was_brought_is_handed_out_byte_by_byte_however_often_it_was_brought(hub):
    assert look(hub, LIST).status == 404
    assert [bring(hub, LIST).status for _ in range(2)] == [204, 204]

    assert look(hub, LIST).raw == LIST
    assert (look(hub, LIST, "HEAD").status, look(hub, LIST, "HEAD").raw) == (200, b"")
    assert look(hub, OTHER, "HEAD").status == 404


def test_bytes_that_are_not_what_they_are_called_leave_nothing_behind(hub):
    answer = bring(hub, OTHER, policy.address(LIST))
    cut = hub.call("PUT", f"/v1/attachments/{policy.address(LIST)}", LIST[:-1])

    assert (answer.status, answer.json["code"], cut.status) == (422, "bad_attachment", 422)
    assert list((hub.state / "attachments").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["sha256:", "sha256:" + "g" * 64, "../policy.json", "", "sha256:" + "A" * 64]
)
def test_only_digests_are_names(hub, name):
    assert hub.call("PUT", f"/v1/attachments/{name}", b"x").status == 404


def test_an_attachment_that_is_too_large_is_refused(hub):
    address = policy.address(b"")
    declared = bring(hub, None, address, headers={"content-length": "64000001"})

    assert (declared.status, declared.json["code"]) == (413, "body_too_large")


def test_only_the_application_brings_and_agents_may_read(hub):
    assert bring(hub, LIST, token=AGENT).status == 403
    assert bring(hub, LIST, token="guess").status == 401
    bring(hub, LIST)
    assert [look(hub, LIST, token=token).status for token in (CONTROL, AGENT, "guess")] == [200, 200, 401]


def test_a_policy_is_not_taken_before_all_that_it_names_is_here(hub):
    bring(hub, OTHER)
    refused = hub.put(naming(1, LIST, OTHER))

    assert (refused.status, refused.json["code"]) == (409, "missing_attachments")
    assert refused.json["missing"] == [policy.address(LIST)]
    assert hub.get("/v1/policy").status == 404
    bring(hub, LIST)
    assert hub.put(naming(1, LIST, OTHER)).status == 200


def test_what_two_policies_no_longer_name_is_removed_a_day_later(hub):
    for version, raw in enumerate((LIST, OTHER), 1):
        bring(hub, raw)
        hub.put(naming(version, raw))
    fresh = policy.subject_list(["fresh"])
    bring(hub, fresh)
    yesterday = time.time() - 25 * 3600
    for raw in (LIST, OTHER):
        os.utime(file_of(hub, raw), (yesterday, yesterday))

    hub.put(naming(3))

    assert [look(hub, raw).status for raw in (LIST, OTHER, fresh)] == [404, 200, 200]


def test_a_killed_hub_comes_back_with_attachments_and_without_half_ones(hub):
    bring(hub, LIST)
    hub.put(naming(1, LIST))
    hub.end(signal.SIGKILL)
    half = hub.state / "attachments" / ("0" * 64 + ".abcd.part")
    half.write_bytes(b"half")
    hub.start()

    assert look(hub, LIST).raw == LIST
    assert not half.exists()
    assert hub.get("/v1/status").json["policy"]["version"] == 1


def test_a_damaged_attachment_is_not_handed_out_and_asked_for_again(hub):
    bring(hub, LIST)
    hub.put(naming(1, LIST))
    file_of(hub, LIST).write_bytes(LIST[:-1])

    assert look(hub, LIST).json["code"] == "no_attachment"
    assert hub.get("/healthz", token=None).json["problems"][0]["code"] == "attachment_missing"
    assert hub.get("/v1/status").json["policy"] is None  # so that the application brings all of it again
    assert hub.put(naming(1, LIST)).json["code"] == "missing_attachments"

    bring(hub, LIST)
    assert hub.put(naming(1, LIST)).status == 200
    assert hub.get("/v1/status").json["policy"]["version"] == 1


def test_an_attachment_that_cannot_be_stored_is_refused(hub):
    folder = hub.state / "attachments"
    folder.rmdir()
    folder.write_text("in the way")

    assert (bring(hub, LIST).status, bring(hub, LIST).json["code"]) == (503, "storage_failed")


def test_the_same_attachment_brought_at_once_by_many_is_one(hub):
    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(lambda _: bring(hub, LIST).status, range(8)))

    assert statuses == {204}
    assert [path.name for path in (hub.state / "attachments").iterdir()] == [file_of(hub, LIST).name]
