"""A gateway whose models stream directly: bodies are read only where a correction asks for them."""

from __future__ import annotations

import http.client
import json

import pytest

from enforcement import policy
from enforcement.envoy.gateway import Client
from enforcement.envoy.unreached import SAMPLE
from tests.enforcement.bare import Bare
from tests.enforcement.servers import Servers
from tests.enforcement.world import Reply, correction
from tests.patience import wait_for

LARGE = {"model": "aurora-large"}
NAMES = ("alice", "bob")


def client(name):
    return Client(
        key=f"sk-{name}-1234",
        key_id=f"key-{name}",
        user=name,
        organisation="acme",
        application="a",
        use_cases=("research",),
    )


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with Servers() as servers:
        found = Bare(
            tmp_path_factory.mktemp("direct"),
            ("aurora-large", "aurora-small"),
            upstream=f"127.0.0.1:{servers.model_port}",
            streams="direct",
            clients=tuple(client(name) for name in NAMES),
        )
        try:
            found.start()
            yield found
        finally:
            found.stop()


def enforce(gateway, *corrections):
    gateway.enforce(policy.Content(corrections=corrections))


def ask(gateway, who, body, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", gateway.gateway.port, timeout=20)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"authorization": f"Bearer sk-{who}-1234", "content-type": "application/json", **headers}
    try:
        connection.request("POST", "/v1/chat/completions", body=raw, headers=sent)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, found, response.read())
    finally:
        connection.close()


def noted(gateway):
    lines = (gateway.folder / "access.log").read_bytes().replace(b'"dry":-', b'"dry":null').splitlines()
    requests = [json.loads(line)["request"] for line in lines]
    return [one for one in requests if not one.get("probe") and one["policy"] == gateway.version]


BLOCK = correction(1, policy.Block(), users=policy.Users(users=("alice",)))


def test_a_block_by_identity_needs_no_body_to_bind(gateway):
    enforce(gateway, BLOCK)

    assert ask(gateway, "alice", LARGE).code == "access_restricted"
    assert ask(gateway, "alice", b"not json").code == "access_restricted"
    assert ask(gateway, "bob", LARGE).body["seen"]["body"] == LARGE
    assert ask(gateway, "bob", {**LARGE, "stream": True, "chunks": 2}).raw.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    "asking",
    [
        correction(2, policy.ToolsOff(tools=("shell",))),
        correction(2, policy.Suspend(), functionality=policy.Functionality(models=("aurora-large",))),
        correction(2, policy.Block(), users=policy.Users(users=("bob",)),
                   functionality=policy.Functionality(features=("web_search",))),
        correction(2, policy.InputCap(max_bytes=9_000_000)),
        correction(2, policy.OutputCap(max_tokens=9)),
        correction(2, policy.Downgrade(fallback_model="aurora-small"), mode="shadow",
                   functionality=policy.Functionality(models=("aurora-large",))),
    ],
    ids=lambda item: type(item.effect).__name__,
)  # fmt: skip
def test_as_soon_as_a_correction_depends_on_the_body_it_is_read_strictly(gateway, asking):
    enforce(gateway, BLOCK)
    assert ask(gateway, "bob", b'{"model":"x","model":"aurora-large"}').status == 200

    enforce(gateway, BLOCK, asking)

    assert ask(gateway, "bob", b'{"model":"x","model":"aurora-large"}').code == "invalid_json"
    assert ask(gateway, "bob", b"not json").code == "invalid_json"
    assert ask(gateway, "bob", LARGE, **{"content-encoding": "gzip"}).code == "invalid_json"


def test_a_request_that_nothing_can_reach_is_noted_now_and_then_and_stands_for_the_others(gateway):
    enforce(gateway, BLOCK)

    for _ in range(50 * SAMPLE):
        assert ask(gateway, "bob", {**LARGE, "messages": [{"content": "secret words"}]}).status == 200

    found = wait_for(lambda: len(noted(gateway)) >= 20 and noted(gateway))
    assert 20 <= len(found) <= 90  # 50 are expected; one run of millions falls outside
    assert {(one["weight"], one["model"]) for one in found} == {(SAMPLE, "aurora-large")}
    assert "secret" not in json.dumps(found)


def test_one_that_declares_a_use_case_is_counted_by_the_script_itself(gateway):
    enforce(gateway, BLOCK)

    for _ in range(4 * SAMPLE):
        assert ask(gateway, "bob", LARGE, **{"irapp-use-case": "research"}).status == 200

    found = wait_for(lambda: len(noted(gateway)) >= 4 and noted(gateway))
    assert [(one["weight"], one["use_case"]) for one in found] == [(SAMPLE, "research")] * 4


def test_every_refusal_and_every_dry_run_is_noted(gateway):
    shadow = correction(2, policy.Block(), users=policy.Users(users=("bob",)), mode="shadow")
    enforce(gateway, BLOCK, shadow)

    for _ in range(SAMPLE):
        ask(gateway, "alice", LARGE)
        ask(gateway, "bob", LARGE)

    found = wait_for(lambda: len(noted(gateway)) >= 2 * SAMPLE and noted(gateway))
    assert len(found) == 2 * SAMPLE
    assert {one["user"]: one.get("shadow") for one in found} == {"alice": None, "bob": ["COR-0002.1"]}
    assert not any("weight" in one for one in found)
