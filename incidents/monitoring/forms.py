"""What people may enter about signals."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from django import forms

from incidents.forms import SEVERITIES, Open
from incidents.models import Incident
from incidents.monitoring.models import Source
from incidents.monitoring.states import Kind
from incidents.selectors.people import crew

if TYPE_CHECKING:
    from irapp.accounts.models import User

_REFERENCE = re.compile(r"(?:INC-?)?0*(\d{1,18})", re.IGNORECASE)
REPORT_FORM = "report-form"
"""The source that a migration adds for reports made on the page."""


def _lines(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class Report(forms.Form):
    """A signal that somebody types in. ``key`` lets a form that is sent twice be one signal."""

    title = forms.CharField(
        label="What was seen", max_length=200, help_text="One line. Reports in the same words are grouped."
    )
    body = forms.CharField(
        label="Details",
        required=False,
        max_length=20_000,
        widget=_lines(6),
        help_text="What, where, since when. No more personal data than is needed.",
    )
    source = forms.ChoiceField(label="Who reported it")
    severity = forms.ChoiceField(label="How bad it looks", required=False, choices=SEVERITIES)
    model_name = forms.CharField(
        label="Affected model",
        required=False,
        max_length=100,
        help_text="As the gateway names it.",
        widget=forms.TextInput(attrs={"list": "known-models"}),
    )
    observed_at = forms.DateTimeField(
        label="When it was seen (UTC)",
        required=False,
        help_text="Leave empty for now.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    key = forms.CharField(max_length=200, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        sources = Source.objects.enabled()
        choices = [(source.code, f"{source.name} · {source.get_kind_display()}") for source in sources]
        self.fields["source"].choices = choices  # type: ignore[attr-defined]
        self.initial = {"source": REPORT_FORM, "key": uuid.uuid4().hex, **self.initial}


class OpenFrom(Open):
    """An incident that starts from signals; filled in from them."""


class Link(forms.Form):
    """The incident that signals belong to, by its reference."""

    incident = forms.CharField(
        label="Incident",
        max_length=30,
        help_text="Its reference, for example INC-0012.",
    )

    def __init__(self, *args: Any, user: User, **named: Any) -> None:
        super().__init__(*args, **named)
        self.user = user

    def clean_incident(self) -> int:
        """Give the incident's key. One that is hidden from the person is not there for them."""
        found = _REFERENCE.fullmatch(self.cleaned_data["incident"].strip())
        seen = Incident.objects.visible_to(self.user)
        if found is None or not seen.filter(pk=int(found[1])).exists():
            raise forms.ValidationError("There is no such incident.")
        return int(found[1])


class Close(forms.Form):
    """Why signals call for nothing; ``count_seen`` is how many the person saw."""

    reason = forms.CharField(
        label="Why nothing is called for",
        max_length=2000,
        widget=_lines(3),
        help_text="Whoever sees these signals again reads this.",
    )
    count_seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


class Reopen(forms.Form):
    """Taking up again what was closed."""

    reason = forms.CharField(required=False, max_length=2000)


class EditSource(forms.Form):
    """A source of signals."""

    name = forms.CharField(max_length=120)
    kind = forms.ChoiceField(choices=Kind.choices)
    owner_id = forms.TypedChoiceField(label="Owner", required=False, coerce=int, empty_value=None)
    enabled = forms.BooleanField(label="Signals from it are taken", required=False)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        people = [(person.pk, str(person)) for person in crew()]
        self.fields["owner_id"].choices = [("", "Nobody"), *people]  # type: ignore[attr-defined]


class AddSource(EditSource):
    """A new source."""

    code = forms.SlugField(
        max_length=60, help_text="How senders name it, for example abuse-monitor. It does not change later."
    )
    enabled = None  # type: ignore[assignment]
    field_order = ("code", "name", "kind", "owner_id")
