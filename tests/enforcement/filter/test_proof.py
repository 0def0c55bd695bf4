"""Probes: every kind of content correction can be proven without a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enforcement import policy
from enforcement.asking import request_body
from enforcement.decide import Attributes
from tests.enforcement.world import correction

PHRASE = "red mercury"
ENDPOINTS = pytest.mark.parametrize("endpoint", list(policy.ENDPOINTS))
WHO = Attributes(
    user="alice", organisation="a", key="k", application="a", use_case="", endpoint="", model="large", turns=1
)  # fmt: skip


def prove(gate, endpoint, prompt=f"a {PHRASE} b"):
    raw = request_body(replace(WHO, endpoint=endpoint), prompt=prompt)
    return gate.ask(raw, endpoint=endpoint, x_irapp_probe="content", x_irapp_policy="1-x")


@ENDPOINTS
def test_nothing_happens_to_a_probe_beside_every_correction(gate, upstream, endpoint):
    reply = prove(gate, endpoint)

    sent = f"a {PHRASE} b"
    assert reply.body["answer"] == {"sent": sent, "whole": sent, "streamed": sent, "blocked": None}
    assert reply.headers["x-irapp-policy"].startswith("1-x, filter ")
    assert upstream.requests == []


@ENDPOINTS
def test_a_blocking_output_filter_is_proven_both_ways(gate, endpoint):
    gate.enforce(gate.filter(policy.OutputFilter, PHRASE))

    found = prove(gate, endpoint).body["answer"]
    assert (found["blocked"], found["whole"], found["streamed"]) == ("COR-0001.1", "", "a ")
    assert prove(gate, endpoint, "clean").body["answer"]["blocked"] is None


def test_a_redacting_output_filter_is_proven_both_ways(gate):
    gate.enforce(gate.filter(policy.OutputFilter, PHRASE, action="redact"))

    found = prove(gate, "chat.completions").body["answer"]
    assert found["whole"] == found["streamed"] == "a [removed] b"


def test_an_input_filter_is_proven(gate):
    gate.enforce(gate.filter(policy.InputFilter, PHRASE))
    assert prove(gate, "responses").headers["x-irapp-correction"] == "COR-0001.1"

    gate.enforce(gate.filter(policy.InputFilter, PHRASE, action="redact"))
    assert prove(gate, "completions").body["request"]["prompt"] == "a [removed] b"


@pytest.mark.parametrize("kind", [policy.InputFilter, policy.OutputFilter])
def test_flags_and_dry_runs_are_told_to_probes_and_not_counted(gate, kind):
    gate.enforce(gate.filter(kind, PHRASE, action="flag"), gate.filter(kind, PHRASE, number=2, mode="shadow"))
    reply = prove(gate, "messages")

    assert (reply.headers["x-irapp-flagged"], reply.headers["x-irapp-shadow"]) == ("COR-0001.1", "COR-0002.1")
    assert gate.events() == []


def test_a_classifier_that_gives_no_score_is_told(gate, upstream):
    gate.enforce(correction(1, policy.Classifier(name="toxic", where="output", timeout_ms=300)))
    assert prove(gate, "chat.completions").body["classifiers"] == {"COR-0001.1": True}

    upstream.score = "nonsense"
    assert prove(gate, "chat.completions").body["classifiers"] == {"COR-0001.1": False}


def test_a_hot_fix_is_proven(gate):
    gate.enforce(correction(1, policy.SystemPrompt(text="NEW")))

    assert prove(gate, "messages").body["request"]["system"] == "NEW"
