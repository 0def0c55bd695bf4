"""Whether what came back from a probe is what the policy says."""

from __future__ import annotations

from typing import NamedTuple

from enforcement.probes import Plan
from enforcement.reading import OUTPUT_FIELDS


class Answer(NamedTuple):
    """What the gateway answered. ``policy`` is the version that the deciding worker says it runs."""

    status: int
    correction: str
    warning: str
    policy: str
    flagged: frozenset[str]
    shadow: frozenset[str]
    body: dict[str, object]


def judge(plan: Plan, answer: Answer) -> str:
    """Give what is wrong with the answer; nothing if it is right."""
    verdict = plan.verdict
    if answer.status != verdict.status:
        return f"expected {verdict.status}, got {answer.status}"
    if verdict.action == "refuse":
        if answer.correction != verdict.correction:
            return f"refused by {answer.correction or 'nothing'} instead of {verdict.correction}"
        return ""
    return _judge_warned(plan, answer) or _judge_rewritten(plan, answer)


def judge_limited(answer: Answer, correction: str) -> str:
    """Give what is wrong with the answer to a request that is one too many."""
    if answer.status != 429 or answer.correction != correction:  # noqa: PLR2004
        return f"expected 429 after the last allowed request, got {answer.status}"
    return ""


def _judge_warned(plan: Plan, answer: Answer) -> str:
    told = {part.split(";")[0].strip() for part in answer.warning.split(",")} - {""}
    missing = [each.correction for each in plan.verdict.warnings if each.correction not in told]
    return f"not warned of {', '.join(missing)}" if missing else ""


def _judge_rewritten(plan: Plan, answer: Answer) -> str:
    if plan.expect not in ("cap", "reroute", "content"):
        return ""
    sent = answer.body.get("request")
    if not isinstance(sent, dict):
        return "the content filter did not answer"
    return _judge_model(plan, sent) or _judge_tokens(plan, sent)


def _judge_model(plan: Plan, sent: dict[str, object]) -> str:
    expected = plan.verdict.reroute_to or plan.attributes.model
    return "" if sent.get("model") == expected else f"the model would be {sent.get('model')!r}"


def _judge_tokens(plan: Plan, sent: dict[str, object]) -> str:
    most = plan.verdict.max_tokens
    if most is None or plan.attributes.endpoint not in OUTPUT_FIELDS:
        return ""
    found = [value for name, value in sent.items() if name in OUTPUT_FIELDS[plan.attributes.endpoint]]
    tokens = [value for value in found if isinstance(value, int) and not isinstance(value, bool)]
    if not tokens or len(tokens) < len(found) or not 0 < min(tokens) <= max(tokens) <= most:
        return f"the output would be {max(tokens, default=None)} tokens"
    return ""
