"""The real LiteLLM proxy with our callback: what is refused, what is changed, what cannot get round it."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from enforcement import policy
from tests.enforcement.adapters.proxy import MASTER, MOCKED, correction

ALICE = policy.Users(users=("alice",))
CAROL = policy.Users(users=("carol",))
LARGE = policy.Functionality(models=("aurora-large",))
PATHS = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Hello"}]},
    "/chat/completions": {"messages": [{"role": "user", "content": "Hello"}]},
    "/engines/aurora-large/chat/completions": {"messages": [{"role": "user", "content": "Hello"}]},
    "/openai/deployments/aurora-large/chat/completions": {"messages": [{"role": "user", "content": "Hello"}]},
    "/v1/responses": {"input": "Hello"},
    "/responses": {"input": "Hello"},
    "/v1/messages": {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 50},
    "/v1/completions": {"prompt": "Hello"},
    "/completions": {"prompt": "Hello"},
    "/v1/embeddings": {"input": "Hello"},
    "/embeddings": {"input": "Hello"},
}


def model_of(path):
    return "embedder" if "embeddings" in path else "aurora-large"


def test_a_refusal_is_the_same_object_and_headers_as_from_the_gateway(proxy):
    told = policy.Refusal(reason="Under review.", appeal="mailto:appeals@example.org")
    proxy.enforce(correction(1, policy.Block(), users=ALICE, refusal=told))

    answer = proxy.ask("alice")

    assert answer.status == 403
    assert answer.headers["x-irapp-correction"] == "COR-0001.1"
    assert answer.json == {
        "error": {
            "message": "Under review.",
            "type": "deployment_correction",
            "param": None,
            "code": "access_restricted",
            "correction": "COR-0001.1",
            "appeal": "mailto:appeals@example.org",
        }
    }


@pytest.mark.parametrize("path", PATHS)
def test_every_path_refuses_who_is_named_and_serves_who_is_not(proxy, path):
    proxy.enforce(correction(1, policy.Block(), users=ALICE))

    refused = proxy.ask("alice", model_of(path), path=path, **PATHS[path])
    served = proxy.ask("bob", model_of(path), path=path, **PATHS[path])

    assert (refused.status, refused.headers["x-irapp-correction"]) == (403, "COR-0001.1")
    assert "access restricted" in refused.json["error"]["message"].lower().replace(" is", "")
    assert served.status == 200, served.raw


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/images/generations", {"prompt": "a cat"}),
        ("/v1/moderations", {"input": "x"}),
        ("/v1/rerank", {"query": "x", "documents": ["y"]}),
        ("/v1/audio/speech", {"input": "x", "voice": "alloy"}),
        ("/v1beta/models/aurora-large:generateContent", {"contents": [{"parts": [{"text": "x"}]}]}),
    ],
)
def test_an_endpoint_that_policies_do_not_know_is_not_served(proxy, path, body):
    proxy.enforce()

    answer = proxy.ask("bob", path=path, **body)

    assert answer.status == 404, answer.raw
    assert "serves no such endpoint" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("effect", "more", "asked", "status", "code"),
    [
        (policy.Allow(), {"users": policy.Users(users=("bob",))}, {}, 403, "access_restricted"),
        (policy.Suspend(retry_after_seconds=60), {"functionality": LARGE}, {}, 503, "model_suspended"),
        (policy.Halt(), {"functionality": LARGE}, {}, 503, "inference_halted"),
        (policy.Decommission(), {"functionality": LARGE}, {}, 410, "model_decommissioned"),
        (policy.RequireUse(), {}, {}, 403, "use_case_undeclared"),
        (policy.InputCap(max_bytes=40), {}, {}, 403, "input_restricted"),
        (policy.FeatureOff(features=("streaming",)), {}, {"stream": True}, 403, "feature_restricted"),
        (
            policy.ToolsOff(tools=("shell",)),
            {},
            {"tools": [{"type": "function", "function": {"name": "shell", "parameters": {}}}]},
            403,
            "tools_restricted",
        ),
        (
            policy.TurnLimit(turns=1),
            {},
            {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]},
            403,
            "turns_limited",
        ),
        (
            policy.LoopCap(turns=0),
            {},
            {"messages": [{"role": "tool", "tool_call_id": "x", "content": "b"}]},
            403,
            "loop_restricted",
        ),
        (policy.ConcurrencyLimit(requests=9), {"users": ALICE}, {}, 503, "limit_unavailable"),
        (policy.Classifier(name="judge"), {"users": ALICE}, {}, 403, "content_restricted"),
    ],
)
def test_every_kind_is_enforced_or_closed(proxy, effect, more, asked, status, code):
    report = proxy.enforce(correction(1, effect, **more))

    answer = proxy.ask("alice", **asked)

    assert (answer.status, answer.code) == (status, code), answer.raw
    seen = report["corrections"]["COR-0001.1"]
    assert (seen["state"], seen["verified"]) == ("in_force", True), seen


def test_a_cap_and_a_reroute_are_written_into_the_request(proxy, model_requests):
    proxy.enforce(
        correction(1, policy.OutputCap(max_tokens=7), users=ALICE),
        correction(2, policy.Downgrade(fallback_model="aurora-small"), functionality=LARGE),
    )

    answer = proxy.ask("alice", max_tokens=5000)

    path, body = model_requests[-1]
    assert answer.status == 200
    assert path == "/v1/chat/completions"
    assert body["model"] == "aurora-small"
    assert body["max_tokens"] == 7
    assert answer.headers["x-irapp-correction"] in {"COR-0001.1", "COR-0002.1"}


def test_a_request_limit_is_counted_and_told_to_be_counted_here_alone(proxy):
    report = proxy.enforce(correction(1, policy.RequestLimit(requests=2, window_seconds=3600), users=ALICE))

    answers = [proxy.ask("alice").status for _ in range(3)]
    other = proxy.ask("bob").status

    assert answers == [200, 200, 429]
    assert other == 200
    assert report["limits"] == {"COR-0001.1": "gateway"}
    assert proxy.ask("alice").headers["retry-after"] == "1800"


def test_a_dry_run_changes_nothing_and_a_grace_period_warns(proxy):
    later = datetime.now(UTC) + timedelta(hours=1)
    proxy.enforce(
        correction(1, policy.Block(), users=ALICE, mode="shadow"),
        correction(2, policy.Block(), users=CAROL, grace_until=later),
    )

    dry, warned = proxy.ask("alice"), proxy.ask("carol", "mocked", stream=True)

    assert dry.status == 200
    assert warned.status == 200
    assert warned.headers["x-irapp-warning"].startswith("COR-0002.1; from=")


def test_start_and_end_are_kept_by_this_clock(proxy):
    soon = datetime.now(UTC) + timedelta(seconds=2)
    proxy.enforce(
        correction(1, policy.Block(), users=ALICE, starts_at=soon),
        correction(
            2, policy.Block(), users=policy.Users(users=("carol",)), expires_at=soon, at_expiry="lift"
        ),
    )
    before = proxy.ask("alice").status, proxy.ask("carol").status

    time.sleep(max(0.0, (soon - datetime.now(UTC)).total_seconds()) + 0.05)

    assert before == (200, 403)
    assert (proxy.ask("alice").status, proxy.ask("carol").status) == (403, 200)


@pytest.mark.parametrize("field", ["fallbacks", "context_window_fallbacks", "content_policy_fallbacks"])
def test_a_caller_cannot_choose_a_fallback(proxy, field):
    proxy.enforce(correction(1, policy.Suspend(), functionality=LARGE))

    answer = proxy.ask("alice", "broken", **{field: ["aurora-large"]})

    assert answer.status in {400, 401, 403}, answer.raw
    assert "aurora-large" not in answer.headers.get("x-litellm-model-group", "")


def test_an_alias_of_a_suspended_model_is_suspended(proxy, model_requests):
    proxy.enforce(correction(1, policy.Suspend(), functionality=LARGE))
    asked = len(model_requests)

    answer = proxy.ask("alice", "nickname")

    assert answer.status == 503, answer.raw
    assert len(model_requests) == asked


def test_a_fallback_of_the_router_does_not_reach_a_suspended_model(proxy, model_requests):
    proxy.enforce(correction(1, policy.Suspend(), functionality=LARGE))
    asked = len(model_requests)
    assert proxy.ask("alice", "broken").status >= 500

    proxy.enforce()
    served = proxy.ask("alice", "broken")

    assert served.status == 200, served.raw
    assert [body["model"] for _, body in model_requests[asked:]] == ["aurora-large"]


@pytest.mark.parametrize("name", ["x-irapp-user", "x-irapp-organisation", "irapp-user"])
def test_headers_of_the_caller_are_not_believed(proxy, name):
    proxy.enforce(correction(1, policy.Block(), users=ALICE))

    body = {"user": "bob", "metadata": {"irapp": {"user": "bob"}}}
    answer = proxy.ask("alice", headers={name: "bob"}, **{"litellm_metadata": {"user_id": "bob"}, **body})

    assert answer.status == 403


def test_a_use_case_is_declared_only_as_registered(proxy):
    proxy.enforce(correction(1, policy.RequireUse(use_cases=("research",))))

    declared = proxy.ask("alice", headers={"irapp-use-case": "research"})
    invented = proxy.ask("alice", headers={"irapp-use-case": "medical"})

    assert declared.status == 200
    assert (invented.status, invented.code) == (400, "invalid_request")


def test_a_stream_passes_unchanged_and_its_refusal_is_no_stream(proxy):
    proxy.enforce(correction(1, policy.Block(), users=ALICE))

    served, refused = proxy.ask("bob", "mocked", stream=True), proxy.ask("alice", "mocked", stream=True)

    text = "".join(each["choices"][0]["delta"].get("content") or "" for each in served.events)
    assert text == MOCKED
    assert (refused.status, refused.code) == (403, "access_restricted")


def test_the_master_key_is_nobody_special(proxy):
    proxy.enforce(correction(1, policy.Suspend(), functionality=LARGE))
    body = json.dumps({"model": "aurora-large", "messages": [{"role": "user", "content": "x"}]})

    answer = proxy.call(
        "POST",
        "/v1/chat/completions",
        body,
        {"authorization": f"Bearer {MASTER}", "content-type": "application/json"},
    )

    assert answer.status == 503


def test_refusals_are_counted_in_the_report(proxy):
    proxy.enforce(correction(1, policy.Block(), users=ALICE))
    for _ in range(3):
        proxy.ask("alice")

    until = time.monotonic() + 10
    while proxy.report()["corrections"]["COR-0001.1"]["refused"] < 3:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert proxy.report()["envoy"]["version"].startswith("litellm ")


def test_a_list_of_subjects_is_fetched_and_kept(proxy):
    raw = policy.subject_list(["alice", "dora"])
    lists = (policy.SubjectList(of="user", attachment=policy.address(raw), count=2),)
    proxy.enforce(correction(1, policy.Block(), users=policy.Users(lists=lists)), attached=[raw])

    assert [proxy.ask(who, "mocked").status for who in ("alice", "bob", "dora")] == [403, 200, 403]
    assert (proxy.state / "attachments" / policy.address(raw).removeprefix("sha256:")).read_bytes() == raw
