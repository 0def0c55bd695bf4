"""The filter bar of the list."""

from __future__ import annotations

from django import forms

from corrections.panels.words import CLASSES


class Filter(forms.Form):
    """Class, model and incident; whatever is not understood is named, never ignored."""

    correction_class = forms.ChoiceField(
        label="Class",
        required=False,
        choices=[("", "Any class"), *((words.code, f"{words.code} {words.title}") for words in CLASSES)],
    )
    model = forms.CharField(label="Model", required=False, max_length=200)
    incident = forms.CharField(label="Incident", required=False, max_length=24)
