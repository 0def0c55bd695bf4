"""What somebody may add when they look after an alarm."""

from __future__ import annotations

from django import forms


class Acknowledge(forms.Form):
    """A note, if there is something to say."""

    note = forms.CharField(
        label="Note",
        max_length=500,
        required=False,
        help_text="What you are doing about it. Optional; kept for good.",
    )
