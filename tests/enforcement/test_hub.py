"""The hub as a real process: the policy's way in and out."""

import json
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.embedded.process import ROOT
from tests.enforcement.hub_process import AGENT, CONTROL, HubProcess, signed
from tests.patience import in_time


@pytest.fixture
def hub(tmp_path):
    process = HubProcess(tmp_path).start()
    yield process
    process.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One hub with a policy, for tests that change nothing."""
    process = HubProcess(tmp_path_factory.mktemp("hub")).start()
    process.put(signed(5, "alice"))
    yield process
    process.end()


def test_a_policy_that_was_put_is_handed_out_byte_by_byte(hub):
    raw = signed(1, "alice")
    put = hub.put(raw)
    got = hub.get("/v1/policy", token=AGENT)

    assert (put.status, put.json["version"]) == (200, 1)
    assert (got.status, got.raw) == (200, raw)
    assert got.headers["etag"] == put.headers["etag"] == f'"1-{put.json["digest"]}"'


def test_there_is_no_policy_before_the_first(hub):
    answer = hub.get("/v1/policy")

    assert (answer.status, answer.json["code"]) == (404, "no_policy")


def test_the_same_policy_again_changes_nothing(shared):
    assert shared.put(signed(5, "alice")).status == 200


@pytest.mark.parametrize("raw", [signed(4, "alice"), signed(5, "bob")])
def test_an_older_version_or_other_content_for_the_same_is_refused(shared, raw):
    answer = shared.put(raw)

    assert (answer.status, answer.json["code"], answer.json["version"]) == (409, "stale_version", 5)
    assert answer.headers["content-type"] == "application/problem+json"


def _changed(**changes):
    return json.dumps({**json.loads(signed(9, "alice")), **changes}).encode()


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (b"nope", "malformed"),
        (b"", "truncated"),
        (signed(9, "alice")[:-20], "truncated"),
        (_changed(extra=1), "extra"),
        (_changed(version=10), "signature"),
        (_changed(version=0), "version"),
        (_changed(version="9"), "version"),
        (_changed(key_id="other"), "key_id"),
        (_changed(signature="AAAA"), "signature"),
        (_changed(signature="\ud800"), "surrogate"),
        (_changed(content={"corrections": []}), "digest"),
        (_changed(content={"corrections": [{"id": "COR-1.1"}]}), "corrections"),
        (signed(9, "alice", key=Ed25519PrivateKey.generate()), "signature"),
        (b'{"content":' * 50_000, ""),
    ],
)
def test_a_policy_that_does_not_verify_is_refused_with_the_reason(shared, raw, named):
    answer = shared.put(raw)

    assert (answer.status, answer.json["code"]) == (422, "bad_policy")
    assert named in answer.json["detail"]
    assert shared.get("/healthz", token=None).json["policy"]["version"] == 5


def test_a_body_that_is_too_large_is_refused_declared_or_not(shared):
    declared = shared.put(None, headers={"content-length": "64000001"})
    chunked = shared.call("POST", "/v1/status", iter([b"x" * 16_000_001]), token=AGENT)

    assert (declared.status, declared.json["code"]) == (413, "body_too_large")
    assert chunked.status == 413


def test_what_the_gateway_has_already_is_not_sent_again(shared):
    tag = shared.get("/v1/policy").headers["etag"]
    again = shared.get("/v1/policy?wait=0", headers={"if-none-match": tag})
    long = shared.get("/v1/policy?wait=1", headers={"if-none-match": tag})

    assert (again.status, again.raw, long.status) == (304, b"", 304)
    assert long.seconds > 0.95
    in_time(again.seconds, 0.5, told="an answer without waiting")
    in_time(long.seconds, 2, told="an answer after one second")


def test_a_gateway_that_is_ahead_is_not_sent_back(shared):
    answer = shared.get("/v1/policy", headers={"if-none-match": '"6-sha256:f00"'})

    assert answer.status == 304


@pytest.mark.parametrize("wait", ["soon", "-1", "²", "1" * 30])
def test_a_time_to_wait_that_is_no_number_is_refused(shared, wait):
    answer = shared.call("GET", f"/v1/policy?wait={wait.replace('²', '%B2')}")

    assert (answer.status, answer.json["code"]) == (400, "bad_query")


def test_everybody_who_waits_is_woken_at_once(hub):
    tag = hub.put(signed(1)).headers["etag"]
    ready = Barrier(21)

    def wait(_):
        ready.wait()
        return hub.get("/v1/policy?wait=20", token=AGENT, headers={"if-none-match": tag})

    with ThreadPoolExecutor(20) as pool:
        waiting = pool.map(wait, range(20))
        ready.wait()
        hub.put(signed(2, "alice"))
        answers = list(waiting)

    assert {(answer.status, answer.raw) for answer in answers} == {(200, signed(2, "alice"))}
    in_time(max(answer.seconds for answer in answers), 10, told="to wake twenty")
    assert hub.get("/v1/policy?wait=20", headers={"if-none-match": tag}).status == 200  # without a wait


def test_who_waits_for_the_first_policy_gets_it(hub):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(hub.get, "/v1/policy?wait=20", token=AGENT)
        hub.put(signed(1, "alice"))

        assert waiting.result().raw == signed(1, "alice")
        in_time(waiting.result().seconds, 10, told="the first policy")


def test_of_eight_versions_at_once_the_newest_stays(hub):
    ready = Barrier(8)

    def put(version):
        ready.wait()
        return version, hub.put(signed(version, "alice"))

    with ThreadPoolExecutor(8) as pool:
        answers = dict(pool.map(put, range(1, 9)))

    assert answers[8].status == 200
    assert {answer.status for answer in answers.values()} <= {200, 409}
    assert hub.get("/v1/policy").raw == signed(8, "alice")


def test_of_eight_contents_for_one_version_one_wins(hub):
    ready = Barrier(8)

    def put(name):
        ready.wait()
        return hub.put(signed(1, f"user-{name}")).status

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(put, range(8)))

    assert statuses == [200, *[409] * 7]


def test_a_killed_hub_comes_back_with_the_policy(hub):
    hub.put(signed(1, "alice"))
    hub.put(signed(2, "bob"))
    hub.end(signal.SIGKILL)
    hub.start()

    assert hub.get("/v1/policy").raw == signed(2, "bob")
    assert hub.put(signed(1, "alice")).status == 409


def test_a_damaged_file_is_an_alarm_and_the_previous_policy_is_used(hub):
    hub.put(signed(1, "alice"))
    hub.put(signed(2, "bob"))
    hub.end(signal.SIGKILL)
    os.truncate(hub.state / "policy.json", 100)
    hub.start()
    health = hub.get("/healthz", token=None).json

    assert hub.get("/v1/policy").raw == signed(1, "alice")
    assert (health["status"], health["problems"][0]["code"]) == ("degraded", "policy_unreadable")
    assert hub.put(signed(2, "bob")).status == 200
    assert hub.get("/healthz", token=None).json["status"] == "ok"


def test_a_policy_that_cannot_be_stored_is_not_taken(hub):
    hub.put(signed(1, "alice"))
    (hub.state / "policy.json.part").mkdir()
    answer = hub.put(signed(2, "bob"))

    assert (answer.status, answer.json["code"]) == (503, "storage_failed")
    assert hub.get("/v1/policy").raw == signed(1, "alice")
    assert hub.get("/healthz", token=None).json["problems"][0]["code"] == "policy_not_stored"


@pytest.mark.parametrize(
    ("method", "path", "token", "status"),
    [
        ("PUT", "/v1/policy", AGENT, 403),
        ("PUT", "/v1/policy", "guess", 401),
        ("PUT", "/v1/policy", None, 401),
        ("GET", "/v1/policy", "guess", 401),
        ("GET", "/v1/policy", CONTROL, 200),
        ("GET", "/v1/policy", "another-agent-token", 200),
        ("GET", "/v1/status", AGENT, 403),
        ("POST", "/v1/status", CONTROL, 403),
        ("GET", "/v1/traffic", AGENT, 403),
        ("POST", "/v1/traffic", CONTROL, 403),
        ("GET", "/healthz", None, 200),
        ("GET", "/openapi.json", None, 200),
        ("GET", "/elsewhere", CONTROL, 404),
        ("DELETE", "/v1/policy", CONTROL, 405),
    ],
)
def test_who_may_call_what(shared, method, path, token, status):
    assert shared.call(method, path, b"", token=token).status == status


def test_the_log_names_versions_and_no_secrets(hub):
    hub.put(signed(1, "alice"))
    hub.put(signed(2, "bob"), token="guess-of-a-token")
    hub.end()
    lines = [json.loads(line) for line in hub.log.read_text().splitlines()]

    assert [(line["event"], line["level"]) for line in lines] == [
        ("policy_stored", "info"),
        ("refused", "warning"),
    ]
    assert not any(secret in hub.log.read_text() for secret in (CONTROL, AGENT, "guess-of"))


def test_the_policy_is_readable_by_its_owner_alone(hub):
    hub.put(signed(1, "alice"))

    assert stat.S_IMODE(hub.state.stat().st_mode) == 0o700
    assert stat.S_IMODE((hub.state / "policy.json").stat().st_mode) == 0o600


def test_a_hub_that_stops_sends_home_who_waits(hub):
    tag = hub.put(signed(1)).headers["etag"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(hub.get, "/v1/policy?wait=25", headers={"if-none-match": tag})
        hub.get("/v1/policy?wait=1", headers={"if-none-match": tag})
        hub.end()

        assert waiting.result().status == 304
        in_time(waiting.result().seconds, 5, told="to be sent home")
    assert hub.process.returncode in {0, -signal.SIGTERM}


def test_openapi_describes_every_route_with_real_structs(shared):
    document = shared.get("/openapi.json", token=None).json
    reference = document["paths"]["/v1/policy"]["put"]["requestBody"]["content"]["application/json"]

    assert set(document["paths"]) == {
        *("/v1/policy", "/v1/status", "/v1/traffic", "/v1/attachments/{digest}"),
        *("/healthz", "/openapi.json"),
    }
    assert reference["schema"]["$ref"].rsplit("/", 1)[1] in document["components"]["schemas"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"HUB_STATE_DIR": ""}, "HUB_STATE_DIR"),
        ({"HUB_PORT": "many"}, "HUB_PORT"),
        ({"POLICY_KEYS_FILE": "/nowhere"}, "POLICY_KEYS_FILE"),
        ({"HUB_AGENT_TOKEN_FILE": "/dev/null"}, "HUB_AGENT_TOKEN_FILE"),
    ],
)
def test_a_wrong_setting_ends_it_with_one_clear_line(tmp_path, changes, named):
    hub = HubProcess(tmp_path, more=changes)
    result = subprocess.run(
        [sys.executable, "-m", "enforcement.hub"],
        env=hub.environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert result.returncode == 2
    assert named in result.stderr
    assert result.stderr.count("\n") == 1
