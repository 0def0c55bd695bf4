"""The parameters of each kind as form fields: only those of the chosen kind are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms

from corrections.forms import capabilities
from corrections.forms.fields import Fallbacks, Names, whole_number

if TYPE_CHECKING:
    from collections.abc import Callable

    Fields = dict[str, forms.Field]

DAY = 86_400
PER = [
    ("user", "each user"),
    ("organisation", "each organisation"),
    ("key", "each key"),
    ("all", "all together"),
]
METRICS = [("total", "Input and output together"), ("input", "Input"), ("output", "Output")]


def exempt() -> Fields:
    """T1: which corrections are not to bind those in the scope."""
    help_text = (
        "Only those in force. Whoever is in the scope below is spared from them, whatever their version."
    )
    return {
        "corrections": forms.MultipleChoiceField(
            label="Spares from", widget=forms.CheckboxSelectMultiple, help_text=help_text
        )
    }


def request_limit() -> Fields:
    """T2: how many, in which time, for whom."""
    burst = "How many of them may come at the same moment. Empty: all of them."
    return {
        "requests": whole_number("Requests", help_text="So many are let through in each window."),
        "window_seconds": _window(),
        "per": _per(),
        "burst": whole_number("At once", required=False, help_text=burst),
    }


def token_limit() -> Fields:
    """T2: how many tokens of which kind."""
    help_text = (
        "What an answer cost is known when it has ended: the request that crosses the limit is served."
    )
    return {
        "tokens": whole_number("Tokens", help_text=help_text),
        "window_seconds": _window(),
        "metric": forms.ChoiceField(label="Tokens counted", choices=METRICS),
        "per": _per(),
    }


def concurrency_limit() -> Fields:
    """T2: how many at the same time."""
    help_text = "More are refused until one of them has ended."
    return {
        "requests": whole_number("Requests at the same time", help_text=help_text),
        "per": _per(),
    }


def turn_limit() -> Fields:
    """T2: how long a conversation may be."""
    help_text = "Turns of the user in the conversation that a request carries."
    return {"turns": whole_number("Turns", help_text=help_text)}


def require_use() -> Fields:
    """T4: which declarations are accepted."""
    help_text = "One per line. Empty: any use case, as long as one is declared."
    return {"use_cases_accepted": Names(label="Accepted use cases", help_text=help_text)}


def shutdown() -> Fields:
    """T5: who is answered by another model meanwhile, and where the others may turn to."""
    return {
        "fallback_models": Fallbacks(
            label="Answered by another model",
            help_text="One organisation per line, then the model: “acme aurora-small”. "
            "Begins with what the register of fallbacks says. Everyone else is refused.",
        ),
        "fallback_address": forms.CharField(
            label="Where the others may turn to",
            required=False,
            max_length=500,
            help_text="Public: told to every refused caller.",
        ),
    }


def suspend() -> Fields:
    """T5: when callers may ask again."""
    help_text = "Sent to callers as Retry-After. Leave empty if nobody can know."
    return {
        "retry_after_seconds": whole_number(
            "Try again after (seconds)", DAY, required=False, help_text=help_text
        ),
        **shutdown(),
    }


def reroute() -> Fields:
    """T5: which model answers instead."""
    return capabilities.fallback_model()


def _window() -> forms.IntegerField:
    return whole_number("Window (seconds)", DAY, help_text="60 is a minute, 3600 an hour; at most a day.")


def _per() -> forms.ChoiceField:
    return forms.ChoiceField(label="Counted for", choices=PER)


FIELDS: dict[str, Callable[[], Fields]] = {
    "block": dict,
    "allow": dict,
    "exempt": exempt,
    "request_limit": request_limit,
    "token_limit": token_limit,
    "concurrency_limit": concurrency_limit,
    "turn_limit": turn_limit,
    **capabilities.FIELDS,
    "forbid_use": dict,
    "require_use": require_use,
    "suspend": suspend,
    "halt": shutdown,
    "market_removal": shutdown,
    "decommission": shutdown,
    "reroute": reroute,
}
PARAMETER_OF = {
    "use_cases_accepted": "use_cases",
    "features_off": "features",
    "classifier": "name",
    "done": "action",
    "score": "threshold",
}
"""Fields that cannot be called as their parameter: the scope, or the browser, has one of that name."""


def parameter_of(field: str) -> str:
    """Give the parameter that a field asks for."""
    return PARAMETER_OF.get(field, field)
