"""What administrators enter about webhooks."""

from __future__ import annotations

from django import forms

OVERLAPS = [
    (0, "not at all: others have seen the old one"),
    (1, "1 hour"),
    (24, "a day"),
    (168, "a week"),
]


def _plain(**attrs: str) -> forms.TextInput:
    return forms.TextInput(
        attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", **attrs}
    )


class AddEndpoint(forms.Form):
    """One more address that policies are sent to."""

    name = forms.CharField(
        max_length=63,
        widget=_plain(),
        help_text="How this gateway is called here, for example “edge-vienna”. It stays.",
    )
    url = forms.CharField(
        label="Address",
        max_length=500,
        widget=_plain(inputmode="url", placeholder="https://gateway.example.org/irapp"),
        help_text="https:// always; http:// only on the loopback. Redirects are not followed.",
    )
    required = forms.BooleanField(
        label="Wait for it",
        required=False,
        initial=True,
        help_text="A correction is in force only when this gateway has acknowledged it. It cannot be probed"
        " from here: what it acknowledges is taken on its word.",
    )


class Rotate(forms.Form):
    """How long the old secret goes on beside the new one."""

    overlap_hours = forms.TypedChoiceField(
        label="Sign with the old secret too, for",
        choices=OVERLAPS,
        coerce=int,
        initial=24,
        help_text="Receivers take a message when one of its signatures fits.",
    )


class Because(forms.Form):
    """Why; kept for good."""

    reason = forms.CharField(max_length=4_000, widget=forms.Textarea(attrs={"rows": 3}))


class Sure(forms.Form):
    """Nothing but the button."""
