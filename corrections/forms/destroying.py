"""Forms around destruction: the order, a signature under it, a hold on evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from corrections import actions
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from corrections.models import DestructionOrder, EvidenceHold
    from incidents.models import Incident
    from irapp.accounts.models import User

SMALL, TALL = {"rows": 3}, {"rows": 6}


class _Written(forms.Form):
    """A form that is written for an incident; a refusal stands beside its field."""

    def __init__(self, *args: Any, incident: Incident, models: list[str], **kwargs: Any) -> None:
        begins = {"model_name": incident.model_name if incident.model_name in models else ""}
        super().__init__(*args, **({"initial": begins} | kwargs))
        self.incident = incident
        required = self.fields["model_name"].required
        nothing = ("", "Choose a model" if required else "Whatever the incident is about")
        self.fields["model_name"].choices = [nothing, *((name, name) for name in models)]  # type: ignore[attr-defined]

    def refuse(self, error: InvalidError) -> None:
        """Put a refusal beside the field that it names."""
        self.add_error(error.field if error.field in self.fields else None, str(error))


class Order(_Written):
    """What is to be destroyed."""

    model_name = forms.ChoiceField(label="Model")
    components = forms.CharField(
        label="Components",
        widget=forms.Textarea(attrs=TALL),
        help_text="One per line, so that nobody can mistake it: which weights, where, by their digest.",
    )
    reason = forms.CharField(
        label="Why it has to be destroyed", max_length=10_000, widget=forms.Textarea(attrs=SMALL)
    )
    narrower_rejected = forms.CharField(
        label="Why nothing that can be undone is enough",
        max_length=10_000,
        widget=forms.Textarea(attrs=SMALL),
        help_text="Decommissioning stops every answer, and can be taken back.",
    )

    def save(self, *, by: User) -> DestructionOrder | None:
        """Draft the order, or put the refusal where it belongs and give None."""
        said = dict(self.cleaned_data)
        said["components"] = said["components"].splitlines()
        try:
            return actions.draft_order(incident_id=self.incident.pk, by=by, **said)
        except InvalidError as error:
            self.refuse(error)
            return None


class Hold(_Written):
    """What is to be kept."""

    model_name = forms.ChoiceField(
        label="Model", required=False, help_text="A hold on a model stops orders about it from any incident."
    )
    what = forms.CharField(
        label="What is kept",
        max_length=10_000,
        widget=forms.Textarea(attrs=SMALL),
        help_text="Weights, logs, checkpoints: where they are, and by which digest.",
    )
    reason = forms.CharField(label="Why", max_length=10_000, widget=forms.Textarea(attrs=SMALL))

    def save(self, *, by: User) -> EvidenceHold | None:
        """Place the hold, or put the refusal where it belongs and give None."""
        try:
            return actions.place_hold(incident_id=self.incident.pk, by=by, **self.cleaned_data)
        except InvalidError as error:
            self.refuse(error)
            return None


class Signature(forms.Form):
    """A signature under exactly the content that was shown."""

    reason = forms.CharField(
        label="Reason",
        max_length=4_000,
        widget=forms.Textarea(attrs=SMALL),
        help_text="Kept for good; read by the other executive and by the auditor.",
    )
    digest = forms.CharField(max_length=71, widget=forms.HiddenInput)
