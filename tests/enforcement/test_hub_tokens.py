"""A token speaks for one gateway, at a real hub and in the files that it reads."""

import signal
import subprocess
import sys

import pytest

from deploy.embedded.process import ROOT
from enforcement.hub.access import AgentToken
from enforcement.hub.tokens import TokenError, bound_tokens
from tests.enforcement.hub_process import HubProcess
from tests.enforcement.test_hub_reports import records, report

TOKENS = "gateway-1 first-token\ngateway-2 second-token\ngateway-2 its-next-token\n"


def hub_with(folder, tokens, **more):
    hub = HubProcess(folder, more=more)
    (folder / "agent").write_text(tokens)
    return hub


@pytest.fixture
def hub(tmp_path):
    process = hub_with(tmp_path, TOKENS).start()
    yield process
    process.end(signal.SIGKILL)


@pytest.mark.parametrize(
    ("token", "gateway", "status"),
    [
        ("first-token", "gateway-1", 204),
        ("first-token", "gateway-2", 403),
        ("second-token", "gateway-2", 204),
        ("its-next-token", "gateway-2", 204),
        ("its-next-token", "gateway-1", 403),
    ],
)
def test_a_report_is_taken_only_from_the_gateways_own_agent(hub, token, gateway, status):
    answer = hub.post("/v1/status", report(gateway), token=token)

    assert answer.status == status
    assert status == 204 or answer.json["code"] == "wrong_gateway"
    assert (gateway in hub.get("/v1/status").json["gateways"]) == (status == 204)


@pytest.mark.parametrize(("batch", "record"), [("gateway-2", "gateway-2"), ("gateway-1", "gateway-2")])
def test_traffic_is_taken_only_from_the_gateways_own_agent(hub, batch, record):
    body = {"gateway": batch, "records": [{**records(1)[0], "gateway": record}]}
    answer = hub.post("/v1/traffic", body, token="first-token")

    assert (answer.status, answer.json["code"]) == (403, "wrong_gateway")
    assert hub.get("/v1/traffic").json["records"] == []


def test_a_token_without_a_gateway_is_accepted_only_where_the_operator_says_so(tmp_path):
    hub = hub_with(tmp_path, "some-token\n")
    command = [sys.executable, "-m", "enforcement.hub"]
    refused = subprocess.run(
        command, env=hub.environment(), cwd=ROOT, capture_output=True, text=True, timeout=20, check=False
    )
    hub.more["HUB_UNBOUND_AGENT_TOKENS"] = "true"
    hub.start()
    try:
        answers = [
            hub.post("/v1/status", report(name), token="some-token").status
            for name in ("gateway-1", "gateway-2")
        ]
    finally:
        hub.end(signal.SIGKILL)

    assert refused.returncode == 2
    assert "HUB_AGENT_TOKEN_FILE: line 1" in refused.stderr
    assert "some-token" not in refused.stderr
    assert answers == [204, 204]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no token"),
        ("gateway-1 a b", "line 1"),
        ("gateway-1 a\n\nonly-a-token", "line 3"),
        ("gate;way token", "line 1"),
        ("gateway-1 same\ngateway-2 same", "another gateway"),
    ],
)
def test_a_file_of_tokens_that_cannot_be_meant_is_refused_by_its_line(text, said):
    with pytest.raises(TokenError, match=said):
        bound_tokens(text)


def test_lines_with_and_without_a_gateway_may_stand_together_where_both_are_allowed():
    found = bound_tokens("gateway-1 a\nb\n", unbound_too=True)

    assert found == (AgentToken("gateway-1", "a"), AgentToken("", "b"))
