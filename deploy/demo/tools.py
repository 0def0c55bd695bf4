"""When the demo model calls a tool, and with which arguments: simple rules, no understanding."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deploy.demo.language import TELLING, VAGUE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deploy.demo.answer import Question
    from deploy.demo.asked import Function

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
NAMED = re.compile(r"(?<=\s)[A-Z]\w+")
FORCED = {"required", "any"}


@dataclass(frozen=True)
class Call:
    """The call of a tool; ``arguments`` are JSON text, as on the wire."""

    name: str
    arguments: str


def choose(question: Question) -> Call | None:
    """Give the call that the question asks for, if any."""
    kind, name = _choice(question)
    if kind == "none" or not question.offered or question.messages[-1].is_tool_result:
        return None
    if name:
        wanted = [tool for tool in question.offered if tool.name == name]
    else:
        wanted = [tool for tool in question.offered if _fits(tool, question.last)]
    if not wanted and kind in FORCED:
        wanted = list(question.offered)
    return _call(wanted[0], question.last) if wanted else None


def _choice(question: Question) -> tuple[str, str]:
    """Read the choice in all its spellings: how much a call is wanted, and of which tool."""
    if not isinstance(question.choice, dict):
        return question.choice or "auto", ""
    nested = question.choice.get("function")
    name = nested.get("name") if isinstance(nested, dict) else question.choice.get("name")
    return str(question.choice.get("type", "auto")), str(name or "")


def _call(tool: Function, prompt: str) -> Call:
    return Call(tool.name, json.dumps(_arguments(tool.schema, prompt)))


def _fits(tool: Function, prompt: str) -> bool:
    """Say whether prompt and tool share a word that says something."""
    described = re.split(r"[\W_]+", f"{tool.name} {tool.description or ''}")
    return not _telling(described).isdisjoint(_telling(re.split(r"\W+", prompt)))


def _telling(words: Iterable[str]) -> set[str]:
    return {word.lower() for word in words if len(word) >= TELLING} - VAGUE


def _arguments(schema: dict[str, Any], prompt: str) -> dict[str, Any]:
    """Fill what the schema requires from the prompt."""
    properties = schema.get("properties") or {}
    required = schema.get("required", list(properties))
    return {name: _value(properties.get(name) or {}, prompt) for name in required}


def _value(schema: dict[str, Any], prompt: str) -> Any:
    """Give a value of the type that the schema names."""
    if options := schema.get("enum"):
        return next((option for option in options if str(option) in prompt), options[0])
    number = NUMBER.search(prompt)
    named = NAMED.findall(prompt)
    values: dict[str, Any] = {
        "integer": int(float(number[0])) if number else 1,
        "number": float(number[0]) if number else 1.0,
        "boolean": True,
        "object": {},
        "null": None,
    }
    kind = schema.get("type", "string")
    if kind == "array":
        return [_value(schema.get("items") or {}, prompt)]
    if kind == "object":
        return _arguments(schema, prompt)
    return values.get(kind, named[-1] if named else prompt[:200])
