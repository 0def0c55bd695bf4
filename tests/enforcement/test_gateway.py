"""What a caller of a real gateway meets: agent, Envoy and content filter as processes."""

from __future__ import annotations

import json

import pytest

from enforcement import policy
from tests.enforcement.world import correction
from tests.patience import wait_for

LARGE, SMALL = {"model": "aurora-large"}, {"model": "aurora-small"}
SHELL = [{"type": "function", "function": {"name": "shell"}}]
ALICE = policy.Users(users=("alice",))
PATHS = list(policy.ENDPOINTS.values())


def scope(**names):
    return policy.Functionality(**names)


def test_a_blocked_user_is_refused_on_every_endpoint_and_nobody_else(world):
    told = policy.Refusal(reason='Paused: "é", 100 %', appeal="https://example.org/appeal")
    world.enforce(correction(1, policy.Block(), users=ALICE, refusal=told))

    for path in PATHS:
        refused = world.ask("alice", LARGE, path=path)
        assert (refused.status, refused.headers["x-irapp-correction"]) == (403, "COR-0001.1")
        assert refused.body["error"] == {
            "message": 'Paused: "é", 100 %',
            "type": "deployment_correction",
            "param": None,
            "code": "access_restricted",
            "correction": "COR-0001.1",
            "appeal": "https://example.org/appeal",
        }
        assert world.ask("bob", LARGE, path=path).status == 200


def shown_lifted(world, name):
    """Give the last word on a lift; while the probes are out the agent says that it is not shown yet."""
    found = world.report()["lifted"].get(name)
    return found if found and found["verified"] else None


def test_a_lifted_block_is_shown_to_be_lifted(world):
    world.enforce(correction(1, policy.Block(), users=ALICE))

    report = world.enforce()

    assert world.ask("alice", LARGE).status == 200
    found = wait_for(lambda: shown_lifted(world, "COR-0001.1"))
    assert {probe["status"] for probe in found["probes"]} == {200}
    assert "COR-0001.1" not in report["corrections"]


@pytest.mark.parametrize("who", ["acme", "key-alice"])
def test_a_block_names_organisations_and_keys_as_well(world, who):
    users = policy.Users(organisations=("acme",)) if who == "acme" else policy.Users(keys=("key-alice",))
    world.enforce(correction(1, policy.Block(), users=users))

    assert world.ask("alice", LARGE).status == 403
    assert world.ask("bob", LARGE).status == (403 if who == "acme" else 200)
    assert world.ask("carol", LARGE).status == 200


def test_headers_that_claim_another_identity_change_nothing(world):
    world.enforce(correction(1, policy.Block(), users=ALICE))
    claims = {
        "x-irapp-user": "bob",
        "X-Irapp-Key": "key-bob",
        "x-irapp-client": "bob;acme;key-bob;a;u;1",
        "x_irapp_user": "bob",
        "x-irapp-route": "model-x",
        "x-irapp-probe": "answer",
        "irapp-probe": "bob;acme;key-bob;a;u;1",
    }

    assert world.ask("alice", LARGE, headers=claims).status == 403
    assert world.ask("bob", LARGE, headers=dict.fromkeys(claims, "alice")).status == 200


def test_the_model_learns_neither_the_key_nor_the_identity(world):
    world.enforce(correction(1, policy.RequestLimit(requests=1000, window_seconds=60)))

    sent = {"irapp-use-case": "research", "x-irapp-probe": "x", "x_irapp_user": "y"}
    headers = world.ask("bob", LARGE, headers=sent).body["seen"]["headers"]

    assert not [name for name in headers if "irapp" in name.lower() or name.lower() == "authorization"]


def test_an_unknown_key_or_none_is_answered_like_openai(world):
    for reply in (world.ask(None, LARGE), world.ask("mallory", LARGE)):
        assert (reply.status, reply.code) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/chat/completions/",
        "//v1/chat/completions",
        "/v1//chat/completions",
        "/v1/chat%2Fcompletions",
        "/v1/chat/../chat/completions",
        "/V1/Chat/Completions",
        "/v1/chat/completions;x=1",
        "/v1/batches",
        "/v1/models/aurora-large",
        "/openai/deployments/aurora-large/chat/completions",
    ],
)
def test_any_other_path_is_not_served(world, path):
    reply = world.ask("bob", LARGE, path=path)

    assert (reply.status, reply.code) == (404, "not_found")


def test_a_query_does_not_hide_the_endpoint(world):
    world.enforce(correction(1, policy.Block(), users=ALICE))

    assert world.ask("alice", LARGE, path="/v1/chat/completions?api-version=1").status == 403
    assert world.ask("bob", LARGE, path="/v1/chat/completions?a=1").body["seen"]["path"].endswith("?a=1")


def test_the_models_are_listed_for_whoever_has_a_key(world):
    found = world.ask("bob", method="GET", path="/v1/models")

    assert [model["id"] for model in found.body["data"]] == ["aurora-large", "aurora-small", "free"]
    assert world.ask(None, method="GET", path="/v1/models").status == 401


def test_an_unknown_model_is_not_found(world):
    world.enforce()
    reply = world.ask("bob", {"model": "nope"})

    assert (reply.status, reply.code) == (404, "model_not_found")


def test_a_body_over_10_mb_is_refused_and_one_below_passes(world):
    world.enforce()
    frame = len(json.dumps({**LARGE, "input": ""}))
    fits = world.ask("bob", {**LARGE, "input": "x" * (10 * 1024 * 1024 - frame)}, path="/v1/embeddings")
    large = world.ask("bob", {**LARGE, "input": "x" * (10 * 1024 * 1024)}, path="/v1/embeddings")

    assert fits.status == 200
    assert (large.status, large.code) == (413, "body_too_large")


def test_a_limit_counts_each_subject_on_its_own_and_only_matching_requests(world):
    limit = policy.RequestLimit(requests=2, window_seconds=3600)
    world.enforce(
        correction(
            1,
            limit,
            users=policy.Users(organisations=("acme",)),
            functionality=scope(models=("aurora-large",)),
        )
    )
    for _ in range(5):
        assert world.ask("alice", SMALL).status == 200
        assert world.ask("carol", LARGE).status == 200

    assert [world.ask("alice", LARGE).status for _ in range(3)] == [200, 200, 429]
    assert [world.ask("bob", LARGE).status for _ in range(3)] == [200, 200, 429]
    refused = world.ask("alice", LARGE)
    assert (refused.code, refused.headers["retry-after"]) == ("rate_limited", "1800")
    assert refused.headers["x-irapp-correction"] == "COR-0001.1"


def test_of_two_limits_the_one_that_refuses_is_named(world):
    world.enforce(
        correction(1, policy.RequestLimit(requests=5, window_seconds=3600)),
        correction(2, policy.RequestLimit(requests=2, window_seconds=60, per="organisation")),
    )

    for who, status in [("alice", 200), ("bob", 200), ("alice", 429), ("carol", 200)]:
        assert world.ask(who, LARGE).status == status
    assert world.ask("bob", LARGE).body["error"]["correction"] == "COR-0002.1"


@pytest.mark.parametrize("path", PATHS)
def test_tools_that_are_off_are_refused_however_they_are_offered(world, path):
    world.enforce(correction(1, policy.ToolsOff(tools=("shell", "web_search"))))

    for offer in (
        {"tools": SHELL},
        {"tools": [{"name": "weather"}, {"name": "shell", "input_schema": {}}]},
        {"functions": [{"name": "shell"}]},
        {"tools": [{"type": "custom", "custom": {"name": "shell"}}]},
        {"tools": [{"type": "web_search"}]},
        {"web_search_options": {}},
        {"mcp_servers": [{"type": "url", "name": "shell"}]},
    ):
        assert world.ask("bob", {**LARGE, **offer}, path=path).code == "tools_restricted", offer
    assert world.ask("bob", {**LARGE, "tools": [{"name": "weather"}]}, path=path).status == 200
    assert world.ask("bob", {**LARGE, "tools": []}, path=path).status == 200


def test_an_application_or_use_case_is_bound_to_the_registration_of_the_key(world):
    world.enforce(
        correction(1, policy.ForbidUse(), functionality=scope(use_cases=("medical",))),
        correction(2, policy.ForbidUse(), functionality=scope(applications=("globex-agent",))),
        correction(3, policy.ForbidUse(), functionality=scope(endpoints=("embeddings",))),
    )

    assert world.ask("dave", LARGE, headers={"x-irapp-use-case": "research"}).code == "use_case_restricted"
    assert world.ask("carol", LARGE).headers["x-irapp-correction"] == "COR-0002.1"
    assert world.ask("bob", LARGE).status == 200
    assert world.ask("bob", LARGE, path="/v1/embeddings").headers["x-irapp-correction"] == "COR-0003.1"


def test_a_suspended_model_answers_503_with_the_time_to_come_back(world):
    world.enforce(
        correction(1, policy.Suspend(retry_after_seconds=120), functionality=scope(models=("aurora-large",)))
    )

    refused = world.ask("bob", LARGE)

    assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "model_suspended", "120")
    assert world.ask("bob", SMALL).status == 200


def test_a_reroute_and_a_cap_change_the_request_on_its_way(world):
    world.enforce(
        correction(
            1, policy.Reroute(fallback_model="aurora-small"), functionality=scope(models=("aurora-large",))
        ),
        correction(2, policy.OutputCap(max_tokens=20), users=ALICE),
    )

    both = world.ask("alice", {**LARGE, "max_tokens": 500})
    cap = world.ask("alice", {**SMALL, "messages": []})
    neither = world.ask("bob", {**SMALL, "max_tokens": 500})

    assert (both.body["model"], both.body["seen"]["body"]["max_tokens"]) == ("aurora-small", 20)
    assert both.headers["x-irapp-correction"] == "COR-0001.1"
    assert cap.body["seen"]["body"]["max_completion_tokens"] == 20
    assert cap.headers["x-irapp-correction"] == "COR-0002.1"
    assert neither.body["seen"]["body"]["max_tokens"] == 500
    assert "x-irapp-correction" not in neither.headers
