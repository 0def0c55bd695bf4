"""Corrections of content are proven by what they do to samples, on a whole gateway."""

from __future__ import annotations

import pytest

from enforcement import policy
from enforcement.agent.contents import samples
from tests.enforcement.servers import Servers
from tests.enforcement.world import World, correction
from tests.patience import wait_for

PATTERNS = policy.PatternSet(
    name="terms",
    version=1,
    patterns=(
        policy.Pattern(id="p1", text="forbidden phrase"),
        policy.Pattern(id="p2", kind="regex", text=r"code \d{4}", sample="code 1234", weight=2),
        policy.Pattern(id="p3", kind="regex", text=r"x\d{2}"),
    ),
)
RAW = policy.canonical(PATTERNS)
REF = policy.PatternsRef(attachment=policy.address(RAW), name="terms", version=1)
EVERYBODY = {"functionality": policy.Functionality(models=("aurora-large",))}
PROMPT = policy.SystemPrompt(text="Never speak of it.")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with Servers() as servers:
        servers.attachments[REF.attachment] = RAW
        world = World(tmp_path_factory.mktemp("content"), servers)
        try:
            world.start_agent()
            world.ready()
            yield world
        finally:
            world.stop()


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(1, ("forbidden phrase",)), (3, ("forbidden phrase", "code 1234")), (4, ())],
)
def test_a_sample_is_of_as_many_patterns_as_the_threshold_takes(threshold, expected):
    assert samples(PATTERNS, threshold) == expected


@pytest.mark.parametrize("mode", ["enforce", "shadow"])
def test_every_kind_of_content_correction_is_proven_on_every_endpoint_alone(gateway, mode):
    for effect in effects():
        report = gateway.enforce(correction(1, effect, mode=mode, **EVERYBODY))

        found = report["corrections"]["COR-0001.1"]
        inside = {probe["endpoint"] for probe in found["probes"] if probe["subject"] == "inside"}
        assert inside == set(policy.ENDPOINTS), effect
        assert any(probe["subject"] == "beside" for probe in found["probes"]), effect


def effects():
    for action in ("block", "redact", "flag"):
        yield policy.InputFilter(patterns=REF, action=action, threshold=3)
        yield policy.OutputFilter(patterns=REF, action=action, threshold=3)
    yield PROMPT


def test_all_of_them_together_are_proven_too(gateway):
    every = [correction(number, effect, **EVERYBODY) for number, effect in enumerate(effects(), 1)]

    report = gateway.enforce(*every)

    assert len(report["corrections"]) == len(every)


def test_a_filter_that_does_not_find_its_sample_is_told_as_failed(gateway):
    block = correction(1, policy.InputFilter(patterns=REF, threshold=3), **EVERYBODY)
    gateway.enforce(block)
    gateway.filter.kill()
    gateway.filter.wait()

    found = wait_for(lambda: failed(gateway))

    gateway.start_filter()
    assert "expected" in found["detail"]
    wait_for(gateway._proven, 30)


def failed(gateway):
    found = gateway.report()["corrections"]["COR-0001.1"]
    return found if found["state"] == "failed" else None
