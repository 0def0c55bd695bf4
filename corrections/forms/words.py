"""Small forms: a confirmation, a reason, and a vote bound to what was shown."""

from __future__ import annotations

from django import forms

from corrections.stages import STEPS
from corrections.states import Verdict

REASON = {"rows": 3}


class Sure(forms.Form):
    """Nothing but the button."""


class Reason(Sure):
    """Why; kept for good."""

    reason = forms.CharField(
        label="Reason",
        max_length=4_000,
        widget=forms.Textarea(attrs=REASON),
        help_text="Read by those who decide and by the auditor.",
    )


class Step(forms.Form):
    """The share of users that the next version reaches."""

    percentage = forms.TypedChoiceField(choices=[(step, f"{step} %") for step in STEPS], coerce=int)


class Vote(forms.Form):
    """What a decision-maker says about exactly the bytes they were shown."""

    verdict = forms.ChoiceField(label="Your decision", choices=Verdict.choices, widget=forms.RadioSelect)
    reason = forms.CharField(
        label="Reason",
        max_length=4_000,
        widget=forms.Textarea(attrs=REASON),
        help_text="Kept for good; read by the other deciders and by the auditor.",
    )
    digest = forms.CharField(max_length=71, widget=forms.HiddenInput)
