"""What a policy names by address, and what a document must not say."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import msgspec
import pytest
import rfc8785

from enforcement import policy
from tests.enforcement.world import DIGEST, KEY, correction

LARGE = policy.Functionality(models=("aurora-large",))
TIME = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_same_names_have_the_same_address_in_any_order():
    assert (
        policy.subject_list(["zoë", "alice", "alice"])
        == policy.subject_list(["alice", "zoë"])
        == "alice\nzoë\n".encode()
    )


@pytest.mark.parametrize(
    "raw",
    [b"", b"alice", b"\n", b"zoe\nalice\n", b"alice\nalice\n", b"al ice\n", b"a|b\n", b"\xff\n", b"a\n\nb\n"],
)
def test_a_list_in_any_other_form_is_refused(raw):
    with pytest.raises(policy.PolicyError):
        policy.read_subject_list(raw)


@pytest.mark.parametrize("names", [[], ["a" * 201], ["a b"], [str(n) for n in range(policy.LIST_MOST + 1)]])
def test_what_is_no_list_is_not_written_as_one(names):
    with pytest.raises(policy.PolicyError):
        policy.subject_list(names)


def test_a_policy_tells_what_is_attached_to_it():
    address, patterns = policy.address(b"a\n"), policy.address(b"{}")
    users = policy.Users(lists=(policy.SubjectList(of="key", attachment=address, count=1),))
    found = policy.attachments(
        policy.Content(
            corrections=(
                correction(1, policy.Block(), users=users),
                correction(
                    2,
                    policy.InputFilter(
                        patterns=policy.PatternsRef(attachment=patterns, name="weapons", version=3)
                    ),
                ),
            )
        )
    )

    assert found == {address, patterns}


@pytest.mark.parametrize(
    ("effect", "more", "field"),
    [
        (policy.Allow(), {}, "users"),
        (policy.Exempt(corrections=("COR-0002",)), {}, "users"),
        (policy.Exempt(corrections=("COR-0001",)), {"functionality": LARGE}, "effect.corrections"),
        (policy.Exempt(corrections=("COR-0002",)), {"functionality": LARGE, "mode": "shadow"}, "mode"),
        (policy.MarketRemoval(), {"functionality": LARGE}, "functionality.platforms"),
        (policy.Downgrade(fallback_model="aurora-large"), {"functionality": LARGE}, "effect.fallback_model"),
        (policy.Downgrade(fallback_model="aurora-small"), {}, "functionality.models"),
        (
            policy.Halt(
                fallback_models=(policy.CustomerFallback(organisation="acme", model="aurora-large"),)
            ),
            {"functionality": LARGE},
            "effect.fallback_models",
        ),
        (policy.OutputCap(max_tokens=1), {"grace_until": TIME}, "grace_until"),
        (policy.FeatureOff(features=("mcp",)), {"grace_until": TIME, "starts_at": TIME}, "grace_until"),
        (policy.FeatureOff(features=("mcp",)), {"grace_until": TIME, "expires_at": TIME}, "grace_until"),
        (
            policy.RequireUse(),
            {"functionality": policy.Functionality(use_cases=("a",))},
            "functionality.use_cases",
        ),
    ],
)
def test_a_correction_that_contradicts_itself_names_the_field(effect, more, field):
    with pytest.raises(ValueError, match=rf"^{field.replace('.', chr(92) + '.')}: "):
        correction(1, effect, **more)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("request_limit", {"requests": 0, "window_seconds": 60}),
        ("request_limit", {"requests": 1, "window_seconds": 60, "burst": 2}),
        ("token_limit", {"tokens": 1, "window_seconds": 60, "metric": "letters"}),
        ("feature_off", {"features": []}),
        ("feature_off", {"features": ["telepathy"]}),
        ("input_filter", {"patterns": {"attachment": "sha256:0", "name": "n", "version": 1}}),
        ("exempt", {"corrections": []}),
        ("exempt", {"corrections": ["COR-0001.1"]}),
        ("classifier", {"name": "n", "threshold": 0}),
        (
            "suspend",
            {"fallback_models": [{"organisation": "b", "model": "m"}, {"organisation": "a", "model": "m"}]},
        ),
        ("suspend", {"colour": "red"}),
    ],
)
def test_parameters_out_of_range_are_refused(kind, wrong):
    with pytest.raises(policy.PolicyError):
        policy.convert({"kind": kind, **wrong}, policy.EFFECTS[kind])


def test_a_policy_from_before_a_field_was_known_verifies_all_the_same():
    content = msgspec.to_builtins(
        policy.Content(corrections=(correction(1, policy.OutputCap(max_tokens=5)),))
    )
    for late in ("grace_until", "percentage"):
        del content["corrections"][0][late]
    signed = policy.sign(policy.Content(), version=3, key=KEY, key_id="test")
    digest = policy.address(rfc8785.dumps(content))
    signature = KEY.sign(
        rfc8785.dumps({"format": policy.FORMAT, "version": 3, "digest": digest, "key_id": "test"})
    )
    raw = msgspec.json.encode(
        msgspec.to_builtins(signed)
        | {
            "content": content,
            "digest": digest,
            "signature": b64encode(signature).decode(),
        }
    )

    assert policy.verify(raw, keys={"test": KEY.public_key()}).content.corrections[0].percentage == 100
    with pytest.raises(policy.PolicyError, match="digest"):
        policy.verify(raw.replace(b'"max_tokens":5', b'"max_tokens":6'), keys={"test": KEY.public_key()})


def test_every_kind_can_be_written_and_read_back():
    examples = {
        "block": {}, "allow": {}, "exempt": {"corrections": ["COR-0009"]},
        "request_limit": {"requests": 1, "window_seconds": 1},
        "token_limit": {"tokens": 1, "window_seconds": 1},
        "concurrency_limit": {"requests": 1}, "turn_limit": {"turns": 1}, "tools_off": {},
        "feature_off": {"features": ["mcp"]}, "input_cap": {"max_bytes": 1}, "output_cap": {"max_tokens": 1},
        "loop_cap": {"turns": 1}, "system_prompt": {"text": "t"},
        "downgrade": {"fallback_model": "aurora-small"},
        "input_filter": {"patterns": {"attachment": DIGEST, "name": "n", "version": 1}},
        "output_filter": {"patterns": {"attachment": DIGEST, "name": "n", "version": 1}, "action": "redact"},
        "classifier": {"name": "n"}, "forbid_use": {}, "require_use": {}, "suspend": {}, "market_removal": {},
        "halt": {}, "decommission": {}, "reroute": {"fallback_model": "aurora-small"},
    }  # fmt: skip
    assert set(examples) == set(policy.EFFECTS)
    for kind, parameters in examples.items():
        whole = {
            "id": "COR-0001.1",
            "effect": {"kind": kind, **parameters},
            "functionality": {"models": ["aurora-large"], "applications": ["a"], "platforms": ["app"]},
            "users": {"users": ["alice"]},
            "approval_digest": DIGEST,
        }
        item = policy.convert(whole, policy.Correction)

        assert policy.parse(policy.canonical(item), policy.Correction) == item
