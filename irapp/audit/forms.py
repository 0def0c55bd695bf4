"""What the log can be narrowed by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms

from irapp.audit import incidents
from irapp.audit.selectors import SYSTEM, Tab

if TYPE_CHECKING:
    from irapp.audit.selectors import Choices


def _time() -> forms.DateTimeInput:
    return forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})


class Filter(forms.Form):
    """Person, verb, incident, target, time and words. All that is given must hold."""

    q = forms.CharField(
        label="Words", required=False, max_length=200, widget=forms.TextInput(attrs={"type": "search"})
    )
    person = forms.CharField(label="Who", required=False, max_length=20)
    verb = forms.CharField(
        label="What",
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"list": "verbs", "autocapitalize": "none", "spellcheck": "false"}),
    )
    incident = forms.CharField(
        required=False, max_length=30, widget=forms.TextInput(attrs={"placeholder": "INC-0001"})
    )
    target = forms.CharField(
        label="About", required=False, max_length=250, help_text="How its name begins, such as COR-0012."
    )
    since = forms.DateTimeField(label="From (UTC)", required=False, widget=_time())
    until = forms.DateTimeField(label="Before (UTC)", required=False, widget=_time())
    tab = forms.ChoiceField(required=False, choices=Tab.choices, widget=forms.HiddenInput)

    def __init__(self, *args: Any, offered: Choices | None = None, **named: Any) -> None:
        super().__init__(*args, **named)
        if offered is not None:
            self.fields["person"].widget = forms.Select(choices=offered.people)

    def clean_person(self) -> str:
        """A person is a number, or the system."""
        value: str = self.cleaned_data["person"]
        if value and value != SYSTEM and not re.fullmatch(r"[0-9]{1,18}", value):
            raise forms.ValidationError("Choose somebody from the list.")
        return value

    def clean_incident(self) -> str:
        """A reference that cannot be one would silently match nothing."""
        value: str = self.cleaned_data["incident"].strip()
        if value and incidents.find(value) is None:
            raise forms.ValidationError("A reference reads like INC-0001.")
        return value

    def clean(self) -> dict[str, Any]:
        """A span of time has a beginning before its end."""
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since >= until:
            self.add_error("until", "This is not after the beginning.")
        return self.cleaned_data

    @property
    def given(self) -> dict[str, str]:
        """What was asked for, as it stands in an address and in the record of an export."""
        return {name: value for name in self.fields if (value := self.data.get(name, "").strip())}

    @property
    def opens_more(self) -> bool:
        """Whether something stands in the part that is folded away."""
        return not {"target", "since", "until"}.isdisjoint(self.given)
