"""Fields for names and for moments in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from django import forms

from enforcement import policy

SEPARATORS = re.compile(r"[\s,;]+")
SHOWN = 60


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


def _why_no_name(name: str) -> str:
    try:
        policy.convert(name, policy.Name)
    except policy.PolicyError:
        return "at most 200 characters, no quotes, backslashes or equals signs."
    return ""
