"""From PUT /v1/policy at a real hub to a refusal at a real gateway and its proof at the hub again."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys

import pytest

from enforcement import policy
from tests.enforcement.servers import TOKEN, Servers
from tests.enforcement.world import ROOT, World, correction, free_port, signed
from tests.patience import wait_for

CONTROL = "control-token-of-the-test"
LARGE = {"model": "aurora-large"}


class Hub:
    def __init__(self, folder, port):
        self.port = port
        (folder / "control").write_text(CONTROL)
        (folder / "tokens").write_text(f"gateway-1 {TOKEN}\n")
        environment = {
            "HUB_PORT": str(port),
            "HUB_STATE_DIR": str(folder / "hub"),
            "HUB_CONTROL_TOKEN_FILE": str(folder / "control"),
            "HUB_AGENT_TOKEN_FILE": str(folder / "tokens"),
            "POLICY_KEYS_FILE": str(folder / "keys.json"),
        }
        with (folder / "hub.log").open("ab") as log:
            command = [sys.executable, "-m", "enforcement.hub"]
            self.process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body=body, headers={"authorization": f"Bearer {CONTROL}"})
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        except OSError:
            return 0, None
        finally:
            connection.close()

    def gateway(self):
        _, found = self.ask("GET", "/v1/status")
        return (found or {}).get("gateways", {}).get("gateway-1")

    def proven(self, version):
        found = self.gateway()
        if not found or not found["policy"] or found["policy"]["version"] != version:
            return None
        return found if all(one["verified"] for one in found["corrections"].values()) else None


@pytest.fixture
def gateway(tmp_path):
    with Servers() as servers:
        servers.hub_port = free_port()
        world = World(tmp_path, servers)
        hub = Hub(tmp_path, servers.hub_port)
        try:
            wait_for(lambda: hub.ask("GET", "/healthz")[0] == 200)
            world.start_agent()
            world.ready()
            yield world, hub
        finally:
            world.stop()
            hub.process.terminate()
            hub.process.wait()


def test_a_policy_put_at_the_hub_is_proven_at_the_gateway_and_its_traffic_told(gateway):
    world, hub = gateway
    block = correction(1, policy.Block(), users=policy.Users(users=("alice",)))
    cap = correction(2, policy.OutputCap(max_tokens=9), users=policy.Users(organisations=("globex",)))

    assert hub.ask("PUT", "/v1/policy", signed(1, block, cap))[0] == 200
    found = wait_for(lambda: hub.proven(1))

    assert found["envoy"]["rejected"] == 0
    assert found["envoy"]["version"].startswith("1-sha256:")
    assert not found["problems"]
    assert [world.ask(who, LARGE).status for who in ("alice", "bob", "carol")] == [403, 200, 200]
    records = wait_for(lambda: told(hub))
    assert [(one["user"], one["status"], one["correction"]) for one in records] == [
        ("alice", 403, "COR-0001.1"),
        ("bob", 200, None),
        ("carol", 200, "COR-0002.1"),
    ]
    wait_for(lambda: hub.gateway()["corrections"]["COR-0001.1"]["refused"] == 1)

    assert hub.ask("PUT", "/v1/policy", signed(2, cap))[0] == 200
    wait_for(lambda: hub.proven(2))
    wait_for(lambda: hub.gateway()["lifted"].get("COR-0001.1", {}).get("verified"))
    assert world.ask("alice", LARGE).status == 200


def told(hub):
    _, found = hub.ask("GET", "/v1/traffic?after=&limit=100")
    records = [one for one in (found or {}).get("records", []) if one["model"] == "aurora-large"]
    return records if len(records) == 3 else None
