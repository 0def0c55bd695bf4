"""What people may enter about a review."""

from __future__ import annotations

from typing import Any

from django import forms

from incidents.post_incident.models import Finding
from incidents.selectors.people import crew


def _lines(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class Edit(forms.Form):
    """The texts; ``revision`` is what the person saw."""

    summary = forms.CharField(
        max_length=20_000, widget=_lines(8), help_text="What happened, to whom, and what was done. Markdown."
    )
    went_well = forms.CharField(label="What worked", required=False, max_length=20_000, widget=_lines(4))
    went_badly = forms.CharField(label="What did not", required=False, max_length=20_000, widget=_lines(4))
    decision_quality = forms.CharField(
        label="Quality of the decisions",
        required=False,
        max_length=20_000,
        widget=_lines(4),
        help_text="Right people, right facts, right scope, in time?",
    )
    harm_of_correction = forms.CharField(
        label="Harm done by the corrections themselves",
        required=False,
        max_length=20_000,
        widget=_lines(4),
        help_text="Who was refused although they should not have been, and what it cost them.",
    )
    revision = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class AddFinding(forms.Form):
    """A lesson."""

    title = forms.CharField(label="Finding", max_length=200)
    detail = forms.CharField(required=False, max_length=20_000, widget=_lines(3))
    root_cause = forms.BooleanField(label="It is a root cause", required=False)


class Settle(forms.Form):
    """What a lesson leads to: something changed, or a reason why nothing is."""

    changed = forms.ChoiceField(
        label="It changed", required=False, choices=[("", "Nothing: waive it"), *Finding.Changed.choices]
    )
    words = forms.CharField(
        label="Which one, and how; or why nothing follows", max_length=500, widget=_lines(3)
    )


class AddFollowUp(forms.Form):
    """Something to do, by somebody, by a date."""

    title = forms.CharField(label="What has to be done", max_length=200)
    owner_id = forms.TypedChoiceField(label="Owner", coerce=int)
    due_at = forms.DateTimeField(
        label="Due (UTC)",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        people = [(person.pk, str(person)) for person in crew()]
        self.fields["owner_id"].choices = [("", "Choose"), *people]  # type: ignore[attr-defined]


class Sign(forms.Form):
    """A name under exactly what was shown."""

    digest = forms.CharField(widget=forms.HiddenInput)
    comment = forms.CharField(required=False, max_length=4000, widget=_lines(3))


class Return(forms.Form):
    """Comments for the authors."""

    reason = forms.CharField(label="What is missing or wrong", max_length=4000, widget=_lines(3))
