"""The parameters of T3: what the model can still do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms

from corrections.forms.fields import Name, Names, whole_number
from corrections.panels.kinds import FEATURE_LABELS

if TYPE_CHECKING:
    from collections.abc import Callable

    Fields = dict[str, forms.Field]

MOST_BYTES = 9_000_000
ACTIONS = [
    ("block", "Block it"),
    ("redact", "Redact: black out what matches"),
    ("flag", "Flag: count it, and let it pass"),
]


def tools_off() -> Fields:
    """Which tools."""
    help_text = "One per line, as requests name them. Leave empty to switch off every tool."
    return {"tools": Names(label="Tools", help_text=help_text)}


def feature_off() -> Fields:
    """Which features."""
    choices = [(name, label[:1].upper() + label[1:]) for name, label in FEATURE_LABELS.items()]
    return {
        "features_off": forms.MultipleChoiceField(
            label="Features",
            choices=choices,
            widget=forms.CheckboxSelectMultiple,
            help_text="A request that uses one of them is refused.",
        )
    }


def output_cap() -> Fields:
    """How long an answer may be."""
    return {"max_tokens": whole_number("Longest answer (tokens)", help_text="Whatever the request asks for.")}


def input_cap() -> Fields:
    """How long a request may be."""
    help_text = "Of the body of the request. A word is some five bytes."
    return {"max_bytes": whole_number("Longest request (bytes)", MOST_BYTES, help_text=help_text)}


def loop_cap() -> Fields:
    """How far an agent may go by itself."""
    help_text = "So many steps an agent has taken by itself in one conversation. 0: none at all."
    return {"turns": whole_number("Results of tools", least=0, help_text=help_text)}


def content_filter() -> Fields:
    """Which patterns, and what happens where they match."""
    help_text = "Sum of the weights of the different patterns that match, from which on it acts."
    return {
        "patterns": forms.ChoiceField(
            label="Patterns", help_text="A set, in the version that is decided on."
        ),
        "done": forms.ChoiceField(label="Where they match", choices=ACTIONS),
        "threshold": whole_number("Threshold (weight)", 100, help_text=help_text),
    }


def classifier() -> Fields:
    """Which classifier, about what, and what happens without it."""
    return {
        "classifier": Name(
            label="Classifier", max_length=200, help_text="As the gateways have registered it."
        ),
        "where": forms.ChoiceField(
            label="It reads", choices=[("input", "What is sent"), ("output", "The answer")]
        ),
        "score": whole_number("Threshold (score × 100)", 100, help_text="50 is a score of 0.50."),
        "done": forms.ChoiceField(label="From the threshold on", choices=[ACTIONS[0], ACTIONS[2]]),
        "timeout_ms": whole_number("Wait for a score (milliseconds)", 10_000, least=50),
        "on_failure": forms.ChoiceField(
            label="If no score comes",
            choices=[("refuse", "Refuse the request"), ("allow", "Let the request pass")],
            help_text="A classifier that is down: refuse all, or let everything through.",
        ),
    }


def system_prompt() -> Fields:
    """What the model is told."""
    return {
        "text": forms.CharField(
            label="Instruction",
            max_length=20_000,
            widget=forms.Textarea(attrs={"rows": 5}),
            help_text="The hot-fix: the model reads it with every request in the scope.",
        ),
        "position": forms.ChoiceField(
            label="Where it stands",
            choices=[
                ("prepend", "Before the system prompt"),
                ("append", "After the system prompt"),
                ("replace", "In place of the system prompt"),
            ],
        ),
    }


def fallback_model() -> Fields:
    """Which model answers."""
    help_text = "Answers in place of the models you select."
    return {"fallback_model": forms.ChoiceField(label="Fallback model", help_text=help_text)}


FIELDS: dict[str, Callable[[], Fields]] = {
    "tools_off": tools_off,
    "feature_off": feature_off,
    "output_cap": output_cap,
    "input_cap": input_cap,
    "loop_cap": loop_cap,
    "input_filter": content_filter,
    "output_filter": content_filter,
    "classifier": classifier,
    "system_prompt": system_prompt,
    "downgrade": fallback_model,
}
