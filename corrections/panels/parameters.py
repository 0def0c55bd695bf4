"""The parameters of each kind, by the names people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corrections.panels.phrases import duration, features, number

if TYPE_CHECKING:
    from collections.abc import Mapping

LABELS = {
    "requests": "Requests",
    "tokens": "Tokens",
    "metric": "Tokens counted",
    "window_seconds": "Window",
    "burst": "At once",
    "per": "Counted for",
    "tools": "Tools",
    "features": "Features switched off",
    "max_tokens": "Longest answer (tokens)",
    "max_bytes": "Longest request (bytes)",
    "turns": "Turns",
    "patterns": "Patterns",
    "action": "What is done",
    "threshold": "Threshold",
    "name": "Classifier",
    "where": "Reads",
    "timeout_ms": "Waits for a score (ms)",
    "on_failure": "Without a score",
    "text": "Instruction",
    "position": "Where it stands",
    "corrections": "Spares from",
    "use_cases": "Accepted use cases",
    "retry_after_seconds": "Try again after",
    "fallback_model": "Fallback model",
    "fallback_models": "Answered by a fallback",
    "fallback_address": "Where others may turn to",
}
OF_KIND = {
    ("loop_cap", "turns"): "Results of tools in one conversation",
    ("concurrency_limit", "requests"): "Requests at the same time",
}
VALUES = {
    "per": {
        "user": "each user",
        "organisation": "each organisation",
        "key": "each key",
        "all": "all together",
    },
    "metric": {"input": "input", "output": "output", "total": "input and output"},
    "action": {
        "block": "blocked",
        "redact": "redacted: what matches is blacked out",
        "flag": "flagged: counted, and let through",
    },
    "where": {"input": "what is sent", "output": "the answer"},
    "on_failure": {"refuse": "the request is refused", "allow": "the request passes"},
    "position": {
        "prepend": "before the system prompt",
        "append": "after the system prompt",
        "replace": "in place of the system prompt",
    },
}
EMPTY = {"tools": "every tool", "use_cases": "any that is declared", "fallback_models": "nobody"}


def described_parameters(kind: str, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Give what is set, by label; a parameter that was left open is not mentioned."""
    found = {
        OF_KIND.get((kind, name), label): _value(kind, name, parameters[name])
        for name, label in LABELS.items()
        if parameters.get(name) is not None
    }
    return {label: text for label, text in found.items() if text}


def _value(kind: str, name: str, value: Any) -> str:
    if name in {"window_seconds", "retry_after_seconds"}:
        lasting = duration(int(value))
        return f"1 {lasting}" if lasting.isalpha() else lasting
    if name == "threshold":
        return f"a score of {int(value) / 100:.2f}" if kind == "classifier" else f"weight {value}"
    if name == "patterns":
        return f"{value['name']}, version {value['version']} ({_short(value['attachment'])})"
    if name == "fallback_models":
        return "; ".join(f"{each['organisation']} by {each['model']}" for each in value) or EMPTY[name]
    if isinstance(value, list | tuple):
        said = features(value) if name == "features" else value
        return ", ".join(map(str, said)) or EMPTY.get(name, "")
    return VALUES.get(name, {}).get(value) or number(value)


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
