"""What each kind does, in one clause: to whom, on what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corrections.panels.phrases import duration, features, joined, listed, named, names, number, on_models
from corrections.panels.phrases import where as where_
from corrections.panels.phrases import who as who_

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from corrections.terms import Terms

SHOWN = 2
"""Fallbacks of customers that a sentence names."""
VERBS = {"block": "Blocks", "flag": "Flags"}


@dataclass(frozen=True)
class _Said:
    """What the clauses are made of."""

    values: Mapping[str, Any]
    whom: str
    where: str
    models: str

    @property
    def beside(self) -> str:
        """What stands after the models."""
        return self.where.removeprefix(f"on {self.models}")


def effect(terms: Terms) -> str:
    """Say what the kind does."""
    place, models = where_(terms.functionality), on_models(terms.functionality)
    return _CLAUSES[terms.kind](_Said(terms.parameters, who_(terms.users), place, models))


def counted_for(per: object) -> str:
    """Give ``for each user``, or ``for all together``."""
    return "for all together" if per == "all" else f"for each {per or 'user'}"


def _request_limit(said: _Said) -> str:
    window = duration(int(said.values.get("window_seconds") or 1))
    burst = said.values.get("burst")
    return (
        f"Limits {said.whom} to {number(said.values.get('requests'))} requests per {window}"
        f"{f', {number(burst)} of them at once,' if burst else ''}"
        f" {counted_for(said.values.get('per'))} {said.where}"
    )


def _token_limit(said: _Said) -> str:
    metric = said.values.get("metric") or "total"
    tokens = "tokens, input and output together," if metric == "total" else f"{metric} tokens"
    window = duration(int(said.values.get("window_seconds") or 1))
    return (
        f"Limits {said.whom} to {number(said.values.get('tokens'))} {tokens} per {window}"
        f" {counted_for(said.values.get('per'))} {said.where}"
    )


def _concurrency_limit(said: _Said) -> str:
    many = f"{number(said.values.get('requests'))} requests at the same time"
    return f"Limits {said.whom} to {many} {counted_for(said.values.get('per'))} {said.where}"


def _tools_off(said: _Said) -> str:
    tools = named(names(said.values, "tools"), "the tool", "one of the tools") or "any tool"
    return f"Refuses requests that offer {tools}, from {said.whom}, {said.where}"


def _feature_off(said: _Said) -> str:
    used = " or ".join(features(names(said.values, "features"))) or "a feature"
    return f"Refuses requests that use {used}, from {said.whom}, {said.where}"


def _filter(said: _Said, what: str) -> str:
    patterns = said.values.get("patterns") or {}
    which = f"the patterns {patterns.get('name')} (version {patterns.get('version')})"
    weight = int(said.values.get("threshold") or 1)
    enough = f" with a weight of {weight} or more" if weight > 1 else ""
    action = str(said.values.get("action") or "block")
    if action == "redact":
        return f"Blacks out in {what} {said.whom} whatever matches {which}{enough}, {said.where}"
    clause = f"{VERBS[action]} {what} {said.whom} that match {which}{enough}, {said.where}"
    return f"{clause}, and lets them pass" if action == "flag" else clause


def _classifier(said: _Said) -> str:
    values = said.values
    what = "answers to" if values.get("where") == "output" else "what is sent by"
    verb = "flags" if values.get("action") == "flag" else "blocks"
    failing = "passes" if values.get("on_failure") == "allow" else "is refused"
    score = int(values.get("threshold") or 50) / 100
    return (
        f"Asks the classifier {values.get('name')} about {what} {said.whom} and {verb} from a score of"
        f" {score:.2f}; without a score it {failing}; {said.where}"
    )


def _system_prompt(said: _Said) -> str:
    position = said.values.get("position") or "prepend"
    change = {
        "prepend": "Puts an instruction before the system prompt",
        "append": "Puts an instruction after the system prompt",
        "replace": "Replaces the system prompt",
    }[str(position)]
    return f"{change} for {said.whom} {said.where}"


def _require_use(said: _Said) -> str:
    accepted = names(said.values, "use_cases")
    lacking = f"none of the use cases {listed(accepted)}" if len(accepted) > 1 else "no use case"
    lacking = f"not the use case {accepted[0]}" if len(accepted) == 1 else lacking
    return f"Refuses requests from {said.whom} that declare {lacking}, {said.where}"


def _with_fallbacks(said: _Said, clause: str) -> str:
    fallbacks = [
        f"{each['organisation']} by {each['model']}" for each in said.values.get("fallback_models") or ()
    ]
    if not fallbacks:
        return clause
    shown = (
        joined(fallbacks)
        if len(fallbacks) <= SHOWN
        else f"{', '.join(fallbacks[:SHOWN])} and {len(fallbacks) - SHOWN} more by their fallbacks"
    )
    return f"{clause}; meanwhile answered: {shown}"


_CLAUSES: dict[str, Callable[[_Said], str]] = {
    "block": lambda said: f"Refuses {said.whom} {said.where}",
    "allow": lambda said: f"Serves only {said.whom} {said.where}; everyone else is refused",
    "exempt": lambda said: (
        f"Spares {said.whom} from {listed(names(said.values, 'corrections'))} {said.where}"
    ),
    "request_limit": _request_limit,
    "token_limit": _token_limit,
    "concurrency_limit": _concurrency_limit,
    "turn_limit": lambda said: (
        f"Refuses {said.whom} after {said.values.get('turns')} turns of a conversation {said.where}"
    ),
    "tools_off": _tools_off,
    "feature_off": _feature_off,
    "output_cap": lambda said: (
        f"Caps answers to {said.whom} at {number(said.values.get('max_tokens'))} tokens {said.where}"
    ),
    "input_cap": lambda said: (
        f"Refuses requests longer than {number(said.values.get('max_bytes'))} bytes"
        f" from {said.whom} {said.where}"
    ),
    "loop_cap": lambda said: (
        f"Stops agents of {said.whom} after {said.values.get('turns')} results of tools in one conversation"
        f" {said.where}"
    ),
    "input_filter": lambda said: _filter(said, "requests from"),
    "output_filter": lambda said: _filter(said, "answers to"),
    "classifier": _classifier,
    "system_prompt": _system_prompt,
    "downgrade": lambda said: (
        f"Answers {said.whom} with {said.values.get('fallback_model')}, not with {said.models}{said.beside}"
    ),
    "forbid_use": lambda said: f"Refuses requests from {said.whom} {said.where}",
    "require_use": _require_use,
    "suspend": lambda said: _with_fallbacks(said, f"Stops {said.models} for {said.whom}{said.beside}"),
    "halt": lambda said: _with_fallbacks(
        said, f"Stops {said.models} for {said.whom} at once, running answers included{said.beside}"
    ),
    "market_removal": lambda said: _with_fallbacks(
        said, f"Withdraws {said.models} for {said.whom}{said.beside}"
    ),
    "decommission": lambda said: _with_fallbacks(
        said, f"Takes {said.models} out of service for good for {said.whom}{said.beside}"
    ),
    "reroute": lambda said: (
        f"Answers {said.whom} with {said.values.get('fallback_model')} instead of {said.models}{said.beside}"
    ),
}
