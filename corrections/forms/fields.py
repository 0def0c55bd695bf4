"""Fields for names and for moments in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from django import forms

from enforcement import policy

SEPARATORS = re.compile(r"[\s,;]+")
PAIRED = re.compile(r"\s*(?:→|=|:|,)\s*|\s+")
SHOWN = 60
MOST = 1_000_000_000


class Names(forms.CharField):
    """Names, one per line or separated by commas; each is refused by itself, with the reason."""

    def __init__(self, *, rows: int = 3, **kwargs: object) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault(
            "widget", forms.Textarea(attrs={"rows": rows, "spellcheck": "false", "autocapitalize": "none"})
        )
        super().__init__(**kwargs)  # type: ignore[arg-type]

    def prepare_value(self, value: object) -> object:
        """Write a list one name per line."""
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: object) -> list[str]:
        """Give each name once, in the order typed."""
        text = super().clean(value)
        names = list(dict.fromkeys(name for name in SEPARATORS.split(text) if name))
        errors = [
            f"“{name[:SHOWN]}” is not a name: {reason}" for name in names if (reason := _why_no_name(name))
        ]
        if errors:
            raise forms.ValidationError(errors[:5])
        return names


class Name(forms.CharField):
    """One name."""

    def clean(self, value: object) -> str:
        """Refuse what is none."""
        name: str = super().clean(value)
        if name and (reason := _why_no_name(name)):
            raise forms.ValidationError(f"“{name[:SHOWN]}” is not a name: {reason}")
        return name


class Fallbacks(Names):
    """Organisations with the model that answers each of them, one pair per line."""

    def prepare_value(self, value: object) -> object:
        """Write one pair per line."""
        if isinstance(value, list | tuple):
            return "\n".join(f"{each['organisation']} {each['model']}" for each in value)
        return value

    def clean(self, value: object) -> list[dict[str, str]]:  # type: ignore[override]
        """Give the pairs in the order of the policy, or say which line is none."""
        lines = [line.strip() for line in forms.CharField.clean(self, value).splitlines()]
        pairs = [(line, [part for part in PAIRED.split(line) if part]) for line in lines if line]
        wrong = [f"“{line[:SHOWN]}”: {reason}" for line, pair in pairs if (reason := _why_no_pair(pair))]
        if wrong:
            raise forms.ValidationError(wrong[:5])
        found = [{"organisation": pair[0], "model": pair[1]} for _, pair in pairs]
        names = [each["organisation"] for each in found]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise forms.ValidationError(f"{twice} has two fallbacks.")
        return sorted(found, key=lambda each: each["organisation"])


class Moment(forms.DateTimeField):
    """A time in UTC, as browsers pick it."""

    def __init__(self, **kwargs: object) -> None:
        widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
        super().__init__(widget=widget, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"], **kwargs)  # type: ignore[arg-type]

    def prepare_value(self, value: object) -> object:
        """Show UTC, whatever zone the stored value was read in."""
        return (
            value.astimezone(UTC).replace(second=0, microsecond=0) if isinstance(value, datetime) else value
        )


def whole_number(
    label: str, most: int = MOST, *, least: int = 1, required: bool = True, help_text: str = ""
) -> forms.IntegerField:
    """Give a field for a number that is counted."""
    return forms.IntegerField(
        label=label, min_value=least, max_value=most, required=required, help_text=help_text, step_size=1
    )


def _why_no_pair(pair: list[str]) -> str:
    if len(pair) != 2:  # noqa: PLR2004 - a pair
        return "an organisation and a model, with a space between them."
    return next((reason for name in pair if (reason := _why_no_name(name))), "")


def _why_no_name(name: str) -> str:
    try:
        policy.convert(name, policy.Name)
    except policy.PolicyError:
        return "at most 200 characters, no quotes, backslashes, bars or equals signs."
    return ""
