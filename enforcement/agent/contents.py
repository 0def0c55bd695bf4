"""Probes of what happens to content: samples that filters must find, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from enforcement import policy
from enforcement.agent.judging import Answer, judge
from enforcement.asking import as_sent, request_body
from enforcement.decide import Rules
from enforcement.probes import Plan

REMOVED = "[removed]"
_REFUSED = 403


class Patterns(Protocol):
    """Where sets of patterns are kept."""

    def patterns(self, address: str) -> policy.PatternSet:
        """Give a set.

        :raises PolicyError: it is not at hand.
        """


def with_sample(
    plan: Plan, correction: policy.Correction, rules: Rules, attached: Patterns, now: datetime
) -> Plan:
    """Let a probe of a content filter say what the filter has to find."""
    effect = correction.effect
    if not isinstance(effect, policy.InputFilter | policy.OutputFilter):
        return plan
    found = samples(attached.patterns(effect.patterns.attachment), effect.threshold)
    if not found:
        return plan
    prompt = "\n".join(found)
    attributes = as_sent(replace(plan.attributes, body_bytes=0), prompt=prompt)
    return replace(
        plan,
        attributes=attributes,
        verdict=rules.decide(attributes, now=now),
        body=request_body(attributes, prompt=prompt),
        prompt=prompt,
        samples=found,
    )


def samples(patterns: policy.PatternSet, threshold: int) -> tuple[str, ...]:
    """Give texts in which enough patterns are found; none where too few patterns have an example."""
    found, weight = [], 0
    for pattern in patterns.patterns:
        text = pattern.sample or (pattern.text if pattern.kind == "literal" else "")
        if text:
            found.append(text)
            weight += pattern.weight
        if weight >= threshold:
            return tuple(found)
    return ()


def judge_content(plan: Plan, correction: policy.Correction, answer: Answer) -> str:
    """Give what is wrong with the answer to a probe of any kind; nothing if it is right."""
    acting = {item.id for item in plan.verdict.filters if item.mode == "enforce"}
    if answer.status == _REFUSED and plan.verdict.action == "allow" and answer.correction in acting:
        return ""  # a filter of the input took it, this one or a stricter one
    wrong = judge(plan, answer)
    if wrong or correction.id not in {item.id for item in plan.verdict.filters}:
        return wrong
    if correction.mode == "shadow":
        return _judge_dry_run(plan, correction, answer)
    return _judge_effect(plan, correction, answer, acting)


def _judge_dry_run(plan: Plan, correction: policy.Correction, answer: Answer) -> str:
    if plan.prompt and correction.id not in answer.shadow:
        return "the dry run did not find its sample"
    return ""


def _judge_effect(plan: Plan, correction: policy.Correction, answer: Answer, acting: set[str]) -> str:
    match correction.effect:
        case policy.InputFilter(action=action) if plan.prompt:
            return _judge_input(action, plan, correction, answer)
        case policy.OutputFilter(action=action) if plan.prompt:
            return _judge_output(action, plan, correction, answer, acting)
        case policy.SystemPrompt(text=text) if plan.attributes.endpoint != "embeddings":
            there = any(text in leaf for leaf in _texts(answer.body.get("request")))
            return "" if there else "the instructions do not reach the model"
        case policy.Classifier():
            scored = _member(answer, "classifiers").get(correction.id)
            return "" if scored is True else "the classifier gave no score"
    return ""


def _judge_input(action: str, plan: Plan, correction: policy.Correction, answer: Answer) -> str:
    if action == "block":
        return f"expected 403, got {answer.status}"
    if action == "flag":
        return "" if correction.id in answer.flagged else "the sample was not flagged"
    left = any(_left(plan, leaf) for leaf in _texts(answer.body.get("request")))
    return "the sample was not redacted" if left else ""


def _left(plan: Plan, text: str) -> bool:
    """Tell whether the samples still stand in a text, be it only one of them."""
    lines = f"\n{text}\n"
    return plan.prompt in text or (REMOVED in text and any(f"\n{each}\n" in lines for each in plan.samples))


def _judge_output(
    action: str, plan: Plan, correction: policy.Correction, answer: Answer, acting: set[str]
) -> str:
    said = _member(answer, "answer")
    if said.get("blocked") in acting:
        return ""  # by this one, or by a stricter one
    if action == "block":
        return "the sample was not blocked in an answer"
    if action == "flag":
        return "" if correction.id in answer.flagged else "the sample was not flagged"
    return _judge_redacted(plan, *(str(said.get(name)) for name in ("sent", "whole", "streamed")))


def _judge_redacted(plan: Plan, sent: str, whole: str, streamed: str) -> str:
    """Give what is wrong with an answer of which nothing may be left that came as far as the answer."""
    if whole != streamed:
        return "an answer in one piece and a stream are not redacted alike"
    if plan.prompt not in sent:  # what filters of the input have taken may be too much for the threshold
        return "" if REMOVED in sent else "the sample did not come as far as the answer"
    return "the sample was not redacted" if REMOVED not in whole or _left(plan, whole) else ""


def _member(answer: Answer, name: str) -> dict[str, object]:
    found = answer.body.get(name)
    return found if isinstance(found, dict) else {}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
