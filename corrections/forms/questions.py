"""The questions about a correction: one field for each term, whatever its kind."""

from __future__ import annotations

from django import forms

from corrections.forms.fields import Moment, Names
from corrections.panels.kinds import FEATURE_LABELS, KIND_LABELS
from enforcement import policy

ENDPOINTS = [(name, f"{name} ({path})") for name, path in policy.ENDPOINTS.items()]
FEATURES = [(name, label[:1].upper() + label[1:]) for name, label in FEATURE_LABELS.items()]


class Questions(forms.Form):
    """Every field of the terms but the parameters, which belong to a kind."""

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

    platforms = Names(label="Platforms", rows=2, help_text="One per line. Empty: all.")
    features = forms.MultipleChoiceField(
        label="Requests that use",
        required=False,
        choices=FEATURES,
        widget=forms.CheckboxSelectMultiple,
        help_text="None selected: whatever they use.",
    )

    users = Names(label="Users", help_text="One per line.")
    organisations = Names(label="Organisations", help_text="One per line.")
    keys = Names(label="API keys", help_text="Names of keys, one per line; never the secret.")
    regions = Names(label="Regions", rows=2, help_text="One per line: everybody there.")
    tiers = Names(label="Tiers", rows=2, help_text="One per line: everybody on it.")
    segments = forms.MultipleChoiceField(
        label="Segments",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Imported lists, in the version that is decided on.",
    )

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
    grace_until = Moment(
        label="Only warns until (UTC)",
        required=False,
        help_text="Until then requests pass, with a warning in the response. Empty: refused at once.",
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

    expected_false_positive_percent = forms.FloatField(
        label="Expected false positives (% of clean traffic)",
        required=False,
        min_value=0,
        max_value=100,
        help_text="Measured by a dry run, or from the test of the patterns. Needed before it is enforced.",
    )
