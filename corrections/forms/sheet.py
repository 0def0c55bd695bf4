"""The form that describes a correction: one shape for a draft, its revision and a new version."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.datastructures import MultiValueDict

from corrections.forms.fields import Moment, Names
from corrections.forms.parameters import FIELDS
from corrections.panels.words import CLASS_OF, CLASSES, KIND_LABELS
from corrections.terms import Terms
from enforcement import policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from irapp.common.errors import InvalidError

FUNCTIONALITY = ("models", "endpoints", "applications", "use_cases")
USERS = ("users", "organisations", "keys")
PLAIN = tuple(
    each.name for each in fields(Terms) if each.name not in {"kind", "parameters", "functionality", "users"}
)
ENDPOINTS = [(name, f"{name} ({path})") for name, path in policy.ENDPOINTS.items()]


class Sheet(forms.Form):
    """Every field of the terms; the parameters are those of the chosen kind."""

    kind = forms.ChoiceField(
        label="What it does", choices=list(KIND_LABELS.items()), widget=forms.RadioSelect
    )

    models = forms.MultipleChoiceField(
        label="Models",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None selected: every model.",
    )
    endpoints = forms.MultipleChoiceField(
        label="Endpoints",
        required=False,
        choices=ENDPOINTS,
        widget=forms.CheckboxSelectMultiple,
        help_text="None selected: all of them.",
    )
    applications = Names(label="Applications", rows=2, help_text="One per line. Empty: all.")
    use_cases = Names(label="Use cases", rows=2, help_text="One per line. Empty: all.")

    users = Names(label="Users", help_text="One per line.")
    organisations = Names(label="Organisations", help_text="One per line.")
    keys = Names(label="API keys", help_text="Names of keys, one per line; never the secret.")

    mode = forms.ChoiceField(
        label="Mode",
        widget=forms.RadioSelect,
        choices=[("enforce", "Enforce it"), ("shadow", "Dry run: only count what would be refused")],
    )
    starts_at = Moment(label="Starts (UTC)", required=False, help_text="Empty: as soon as it is approved.")
    expires_at = Moment(
        label="Expires (UTC)", required=False, help_text="Empty: only when somebody lifts it."
    )
    at_expiry = forms.ChoiceField(
        label="When it expires",
        widget=forms.RadioSelect,
        choices=[("hold", "Hold: it stays, and somebody is alarmed"), ("lift", "Lift by itself")],
    )
    percentage = forms.IntegerField(
        label="Share of users (%)", min_value=1, max_value=100, help_text="100 is everybody in the scope."
    )
    running_streams = forms.ChoiceField(
        label="Answers already being streamed",
        widget=forms.RadioSelect,
        choices=[("finish", "May finish"), ("end", "Are cut off")],
    )

    public_reason = forms.CharField(
        label="Reason shown to refused callers",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Public: name neither other users nor the evidence.",
    )
    appeal = forms.CharField(
        label="Where they can appeal", required=False, max_length=500, help_text="An address or a link."
    )
    review_at = Moment(label="Review (UTC)", help_text="When somebody looks at it again, at the latest.")
    exit_criteria = forms.CharField(
        label="Exit criteria",
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What has to be true before it is lifted.",
    )
    narrower_rejected = forms.CharField(
        label="Why a narrower option was rejected",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Asked for when it touches everyone, and for every shutdown.",
    )

    def __init__(self, *args: Any, models: list[str], terms: Terms | None = None, **kwargs: Any) -> None:
        initial = {**DEFAULTS, **(_spread(terms) if terms else {}), **(kwargs.get("initial") or {})}
        super().__init__(*args, **(kwargs | {"initial": initial}))
        self.given = terms
        known = sorted({*models, *(initial.get("models") or [])})
        self.fields["models"].choices = [(name, name) for name in known]  # type: ignore[attr-defined]
        self.chosen = self._chosen()
        for name, field in FIELDS[self.chosen]().items():
            self.fields[name] = field
        self.order_fields(["kind", *FIELDS[self.chosen]()])
        if "fallback_model" in self.fields:
            choices = [("", "Choose a model"), *((name, name) for name in models)]
            self.fields["fallback_model"].choices = choices  # type: ignore[attr-defined]

    def _chosen(self) -> str:
        value = self.data.get(self.add_prefix("kind")) if self.is_bound else self.initial.get("kind")
        return str(value) if value in FIELDS else "block"

    @property
    def classes(self) -> list[dict[str, object]]:
        """The five classes with the radio buttons of their kinds, as the page shows them."""
        options = {str(option.data["value"]): option for option in self["kind"]}
        return [
            {
                "words": words,
                "options": [options[kind] for kind in words.kinds],
                "current": words is self.words,
            }
            for words in CLASSES
        ]

    @property
    def words(self) -> object:
        """The class of the chosen kind."""
        return CLASS_OF[self.chosen]

    @property
    def parameters(self) -> Iterator[forms.BoundField]:
        """The fields that only this kind has."""
        return (self[name] for name in FIELDS[self.chosen]())

    def uncheck(self) -> None:
        """Go back to a form that is being filled in, with everything that was typed and no complaints."""
        typed = {
            name: field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
            for name, field in self.fields.items()
        }
        self.initial = {**self.initial} | {name: value for name, value in typed.items() if value is not None}
        self.is_bound, self.data = False, MultiValueDict()

    def rough_terms(self) -> Terms | None:
        """Give what can be understood so far, for a preview; None before the scopes make sense."""
        if not self.is_bound:
            return self.given
        return None if self.lacking else self._terms(ROUGH | self.cleaned_data)

    @property
    def lacking(self) -> str:
        """Say what a preview cannot do without."""
        needed = ("kind", *FIELDS[self.chosen](), *FUNCTIONALITY, *USERS)
        return next(
            (f"{self[name].label}: {self.errors[name][0]}" for name in needed if name in self.errors), ""
        )

    def terms(self) -> Terms:
        """Give what was typed as the actions take it."""
        return self._terms(self.cleaned_data)

    def _terms(self, data: dict[str, Any]) -> Terms:
        values = {name: data[name] for name in FIELDS[self.chosen]() if data[name] is not None}
        return Terms(
            kind=data["kind"],
            parameters=values,
            functionality={name: data[name] for name in FUNCTIONALITY},
            users={name: data[name] for name in USERS},
            **{name: data[name] for name in PLAIN},
        )

    def refuse(self, error: InvalidError) -> None:
        """Put a refusal of the actions beside the field that it names."""
        name = error.field.split(".")[-1]
        self.add_error(
            SHOWN_AT.get(error.field, name) if name in {*self.fields, *SHOWN_AT} else None, str(error)
        )


DEFAULTS = {
    "kind": "block",
    "mode": "enforce",
    "at_expiry": "hold",
    "percentage": 100,
    "running_streams": "finish",
    "window_seconds": 60,
    "per": "user",
}
ROUGH: dict[str, Any] = {
    **dict.fromkeys(("starts_at", "expires_at", "review_at")),
    **dict.fromkeys(("public_reason", "appeal", "exit_criteria", "narrower_rejected"), ""),
    **{name: DEFAULTS[name] for name in ("mode", "at_expiry", "percentage", "running_streams")},
}
"""Stands in for what is not filled in yet."""
SHOWN_AT = {"functionality": "use_cases"}
"""Refusals about a whole scope stand at the field where they are mended."""


def _spread(terms: Terms) -> dict[str, object]:
    """Lay nested terms out as the flat fields of the form."""
    plain = {name: getattr(terms, name) for name in PLAIN}
    return {"kind": terms.kind, **plain, **terms.parameters, **terms.functionality, **terms.users}
