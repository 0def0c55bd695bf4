"""The parameters of each kind as form fields: only those of the chosen kind are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms

from corrections.forms.fields import Names

if TYPE_CHECKING:
    from collections.abc import Callable

    Fields = dict[str, forms.Field]

MOST = 1_000_000_000
DAY = 86_400
PER = [("user", "each user"), ("organisation", "each organisation"), ("key", "each key")]


def _number(label: str, most: int, *, required: bool = True, help_text: str = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=1, max_value=most, required=required, help_text=help_text, step_size=1
    )


def request_limit() -> Fields:
    """T2: how many, in which time, for whom."""
    return {
        "requests": _number("Requests", MOST, help_text="So many are let through in each window."),
        "window_seconds": _number(
            "Window (seconds)", DAY, help_text="60 is a minute, 3600 an hour; at most a day."
        ),
        "per": forms.ChoiceField(label="Counted for", choices=PER),
    }


def tools_off() -> Fields:
    """T3: which tools."""
    help_text = "One per line, as requests name them. Leave empty to switch off every tool."
    return {"tools": Names(label="Tools", help_text=help_text)}


def output_cap() -> Fields:
    """T3: how long an answer may be."""
    return {
        "max_tokens": _number("Longest answer (tokens)", MOST, help_text="Whatever the request asks for.")
    }


def suspend() -> Fields:
    """T5: when callers may ask again."""
    help_text = "Sent to callers as Retry-After. Leave empty if nobody can know."
    return {
        "retry_after_seconds": _number("Try again after (seconds)", DAY, required=False, help_text=help_text)
    }


def reroute() -> Fields:
    """T5: which model answers instead."""
    help_text = "Answers in place of the models you select."
    return {"fallback_model": forms.ChoiceField(label="Fallback model", help_text=help_text)}


FIELDS: dict[str, Callable[[], Fields]] = {
    "block": dict,
    "request_limit": request_limit,
    "tools_off": tools_off,
    "output_cap": output_cap,
    "forbid_use": dict,
    "suspend": suspend,
    "reroute": reroute,
}
