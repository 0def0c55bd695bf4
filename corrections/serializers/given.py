"""What the API takes."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from rest_framework import serializers

from corrections import registers
from corrections.serializers.shapes import Functionality, Parameters, Users
from corrections.states import Verdict
from corrections.terms import Terms
from enforcement import policy
from irapp.common.api.serializers import StrictSerializer

TERMS = tuple(each.name for each in fields(Terms))
Plain = dict[str, Any]


class Draft(StrictSerializer):
    """A correction to be drafted: where it belongs, and its terms."""

    incident = serializers.IntegerField(required=False, min_value=1, help_text="Begins a package for it.")
    package = serializers.IntegerField(required=False, min_value=1, help_text="An existing package instead.")
    package_title = serializers.CharField(required=False, max_length=200)
    rationale = serializers.CharField(required=False, max_length=10_000)
    precaution = serializers.BooleanField(required=False, default=False)

    kind = serializers.ChoiceField(choices=sorted(policy.EFFECTS))
    parameters = Parameters(required=False, default=dict)
    functionality = Functionality(required=False, default=dict)
    users = Users(required=False, default=dict)
    mode = serializers.ChoiceField(choices=["enforce", "shadow"], default="enforce")
    starts_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    at_expiry = serializers.ChoiceField(choices=["hold", "lift"], default="hold")
    grace_until = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Until then what it would refuse passes with a warning.",
    )
    percentage = serializers.IntegerField(min_value=1, max_value=100, default=100)
    running_streams = serializers.ChoiceField(choices=["finish", "end"], default="finish")
    public_reason = serializers.CharField(max_length=500, allow_blank=True, default="")
    appeal = serializers.CharField(max_length=500, allow_blank=True, default="")
    review_at = serializers.DateTimeField()
    exit_criteria = serializers.CharField(max_length=10_000)
    narrower_rejected = serializers.CharField(max_length=10_000, allow_blank=True, default="")
    expected_false_positive_percent = serializers.FloatField(
        required=False,
        allow_null=True,
        default=None,
        min_value=0,
        max_value=100,
        help_text="Of clean traffic; asked for where a filter or classifier is enforced.",
    )

    def validate(self, attrs: Plain) -> Plain:
        """Say either the package or the incident."""
        if ("package" in attrs) == ("incident" in attrs):
            raise serializers.ValidationError({"package": ["Name either a package or an incident."]})
        return attrs

    def terms(self) -> Terms:
        """Give the terms as the actions take them; segments and pattern sets frozen to what they hold now."""
        said = {name: self.validated_data[name] for name in TERMS}
        users, parameters = registers.resolved(said["users"], said["parameters"])
        return Terms(**said | {"users": users, "parameters": parameters})


class Ask(StrictSerializer):
    """A reason, given with a proposal."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=4_000, default="")


class Ballot(StrictSerializer):
    """A vote on exactly the bytes with this digest."""

    proposal = serializers.IntegerField(min_value=1)
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    reason = serializers.CharField(max_length=4_000)
    digest = serializers.CharField(max_length=71)
