"""What a caller of a real gateway meets of the wider toolkit: lists, declarations, grace, shutdowns."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from enforcement import policy
from tests.enforcement.world import correction
from tests.patience import wait_for

LARGE, SMALL = {"model": "aurora-large"}, {"model": "aurora-small"}
ZOE = {
    "key": "sk-demo-zoe",
    "key_id": "key-zoe",
    "user": "zoë",
    "organisation": "umbrella",
    "application": "umbrella-app",
    "use_cases": ["research", "coding"],
    "region": "eu",
    "tier": "free",
    "platform": "android",
}


@pytest.fixture(scope="module")
def gateway(world):
    """The gateway with one client more, who is registered for two use cases and declares one of them."""
    path = world.folder / "clients.json"
    path.write_text(json.dumps([*json.loads(path.read_text()), ZOE]))
    wait_for(lambda: world.ask("zoe", {"model": "free"}).status == 200)
    return world


def scope(**names):
    return policy.Functionality(**names)


def test_a_region_tier_or_platform_is_that_of_the_registration(gateway):
    for users, functionality in [
        (policy.Users(regions=("eu",)), scope()),
        (policy.Users(tiers=("free",)), scope()),
        (policy.Users(regions=("eu", "us")), scope(platforms=("android",))),
    ]:
        gateway.enforce(correction(1, policy.Block(), users=users, functionality=functionality))

        assert gateway.ask("zoe", LARGE, headers={"x-irapp-region": "us"}).code == "access_restricted"
        assert gateway.ask("bob", LARGE).status == 200


def test_an_allow_list_serves_whom_it_names_and_nobody_else(gateway):
    gateway.enforce(
        correction(1, policy.Allow(), users=policy.Users(organisations=("umbrella",)), functionality=scope(
            models=("aurora-large",)))
    )  # fmt: skip

    assert gateway.ask("zoe", LARGE).status == 200
    assert gateway.ask("bob", LARGE).code == "access_restricted"
    assert gateway.ask("bob", SMALL).status == 200


def test_an_exemption_spares_whom_it_names_from_the_correction_it_names(gateway):
    gateway.enforce(
        correction(1, policy.Suspend(), functionality=scope(models=("aurora-large",))),
        correction(2, policy.ForbidUse(), functionality=scope(endpoints=("embeddings",))),
        correction(
            3, policy.Exempt(corrections=("COR-0001",)), users=policy.Users(organisations=("umbrella",))
        ),
    )

    assert gateway.ask("zoe", LARGE).status == 200
    assert gateway.ask("zoe", LARGE, path="/v1/embeddings").code == "use_case_restricted"
    assert gateway.ask("bob", LARGE).code == "model_suspended"


def test_a_declared_use_case_counts_and_only_a_registered_one_may_be_declared(gateway):
    gateway.enforce(
        correction(1, policy.RequireUse(use_cases=("research", "coding"))),
        correction(2, policy.ForbidUse(), functionality=scope(use_cases=("coding",))),
    )

    assert gateway.ask("zoe", LARGE).code == "use_case_undeclared"
    assert gateway.ask("zoe", LARGE, headers={"irapp-use-case": "research"}).status == 200
    assert gateway.ask("zoe", LARGE, headers={"irapp-use-case": "coding"}).code == "use_case_restricted"
    assert gateway.ask("zoe", LARGE, headers={"irapp-use-case": "medical"}).code == "invalid_request"
    assert gateway.ask("bob", LARGE).status == 200
    assert gateway.ask("alice", LARGE).code == "use_case_undeclared"


def test_the_model_is_not_told_what_was_declared(gateway):
    gateway.enforce()
    seen = gateway.ask("zoe", LARGE, headers={"irapp-use-case": "research"}).body["seen"]

    assert not [name for name in seen["headers"] if "irapp" in name.lower()]


def test_until_the_grace_ends_a_request_passes_with_a_warning(gateway):
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    gateway.enforce(
        correction(1, policy.ForbidUse(), functionality=scope(use_cases=("research",)), grace_until=until),
        correction(2, policy.ToolsOff(), grace_until=until + timedelta(hours=1)),
    )
    tools = {**LARGE, "tools": [{"name": "shell"}]}

    warned = gateway.ask("bob", tools)
    assert warned.status == 200
    assert warned.headers["x-irapp-warning"] == (
        f"COR-0001.1; from={until:%Y-%m-%dT%H:%M:%SZ}, "
        f"COR-0002.1; from={until + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    )
    assert "x-irapp-warning" not in gateway.ask("zoe", LARGE).headers
    streamed = gateway.ask("bob", {**LARGE, "stream": True, "chunks": 1})
    assert streamed.headers["x-irapp-warning"].startswith("COR-0001.1; from=")

    refused = wait_for(lambda: (reply := gateway.ask("bob", tools)).status == 403 and reply)
    assert refused.headers["x-irapp-correction"] == "COR-0001.1"
    assert datetime.now(UTC) >= until


@pytest.mark.parametrize(
    ("effect", "status", "code"),
    [
        (policy.Suspend, 503, "model_suspended"),
        (policy.Halt, 503, "inference_halted"),
        (policy.Decommission, 410, "model_decommissioned"),
    ],
)
def test_a_shutdown_tells_an_address_and_reroutes_the_customers_it_names(gateway, effect, status, code):
    fallback = policy.CustomerFallback(organisation="umbrella", model="aurora-small")
    shut = effect(fallback_models=(fallback,), fallback_address="https://example.org/other")
    gateway.enforce(correction(1, shut, functionality=scope(models=("aurora-large",))))

    assert gateway.ask("zoe", LARGE).body["model"] == "aurora-small"
    refused = gateway.ask("bob", LARGE)
    assert (refused.status, refused.code) == (status, code)
    assert refused.body["error"]["fallback"] == "https://example.org/other"


def test_a_market_removal_refuses_on_its_platforms_only(gateway):
    gateway.enforce(
        correction(
            1, policy.MarketRemoval(), functionality=scope(models=("aurora-large",), platforms=("android",))
        )
    )

    refused = gateway.ask("zoe", LARGE)
    assert (refused.status, refused.code) == (403, "model_withdrawn")
    assert gateway.ask("bob", LARGE).status == 200


def test_features_and_long_requests_are_refused(gateway):
    gateway.enforce(
        correction(1, policy.FeatureOff(features=("streaming", "memory"))),
        correction(2, policy.InputCap(max_bytes=500)),
    )

    assert gateway.ask("bob", {**LARGE, "stream": True}).code == "feature_restricted"
    assert gateway.ask("bob", {**LARGE, "store": True}).code == "feature_restricted"
    assert gateway.ask("bob", {**LARGE, "store": False}).status == 200
    assert gateway.ask("bob", {**LARGE, "input": "x" * 500}).code == "input_restricted"


def test_traffic_tells_all_attributes_and_the_policy_that_decided(gateway):
    gateway.enforce(
        correction(1, policy.Block(), users=policy.Users(users=("zoë",)), mode="shadow"),
        correction(2, policy.ToolsOff(), grace_until=datetime.now(UTC) + timedelta(hours=1)),
    )
    body = {
        **LARGE,
        "tools": [{"type": "web_search", "name": "w"}],
        "messages": [{"content": "secret words"}],
    }
    headers = {"irapp-use-case": "coding"}
    gateway.ask("zoe", body, path="/v1/responses", headers=headers)

    (found,) = wait_for(
        lambda: [
            one
            for one in gateway.servers.traffic
            if one["user"] == "zoë"
            and one.get("policy") == gateway.version
            and one["endpoint"] == "responses"
        ]
    )
    kept = ("region", "tier", "platform", "use_case", "features", "shadow", "warned", "body_bytes")
    assert {name: found[name] for name in kept} == {
        "region": "eu",
        "tier": "free",
        "platform": "android",
        "use_case": "coding",
        "features": ["web_search"],
        "shadow": ["COR-0001.1"],
        "warned": ["COR-0002.1"],
        "body_bytes": len(json.dumps(body).encode()),
    }
    assert "secret" not in json.dumps(found)
