"""How the truth of the moment travels as JSON: standing, alarms, what corrections did."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from corrections.models import Alarm, AlarmKind
from corrections.selectors.decision_log import WINDOWS, Series


class Since(serializers.Serializer[Any]):
    """What is missing, and since when."""

    why = serializers.CharField(help_text="Empty when it is as wanted.")
    since = serializers.DateTimeField(allow_null=True)


class OfHub(Since):
    """One enforcement service."""

    url = serializers.CharField(source="hub.url")
    policy_version = serializers.IntegerField(source="holds", allow_null=True)
    seen_at = serializers.DateTimeField(source="hub.seen_at", allow_null=True)


class OfGatewayTruth(Since):
    """One gateway: the policy it acknowledges, the one its proxy runs, its probes, how it counts limits."""

    gateway = serializers.CharField(source="gateway.name")
    kind = serializers.CharField(source="gateway.kind")
    waited_for = serializers.BooleanField(source="gateway.required")
    wanted = serializers.IntegerField()
    acknowledged = serializers.IntegerField(allow_null=True)
    observed = serializers.IntegerField(allow_null=True)
    probes_right = serializers.IntegerField(source="probes_ok")
    probes = serializers.IntegerField()
    silent = serializers.BooleanField()
    seen_at = serializers.DateTimeField(source="gateway.seen_at", allow_null=True)
    limits = serializers.DictField(child=serializers.IntegerField(), help_text="How many limits by basis.")


class OfLagging(Since):
    """A gateway at which a correction is not as wanted."""

    gateway = serializers.CharField()


class OfCorrectionTruth(serializers.Serializer[Any]):
    """One correction, counted over services and gateways."""

    correction = serializers.CharField(source="correction.policy_id")
    state = serializers.CharField(source="correction.state")
    wanted = serializers.IntegerField(allow_null=True, help_text="The policy from which on it is wanted.")
    services = serializers.IntegerField(source="hubs")
    delivered = serializers.IntegerField()
    gateways = serializers.IntegerField()
    acknowledged = serializers.IntegerField()
    observed = serializers.IntegerField()
    not_observable = serializers.IntegerField(source="unobserved")
    probes_right = serializers.IntegerField(source="probes_ok")
    probes = serializers.IntegerField()
    limits = serializers.DictField(source="basis", child=serializers.IntegerField())
    lagging = OfLagging(many=True)
    more_lagging = serializers.IntegerField()


class OfPolicy(serializers.Serializer[Any]):
    """The policy that is wanted."""

    version = serializers.IntegerField()
    digest = serializers.CharField()
    created_at = serializers.DateTimeField()


class OfTruth(serializers.Serializer[Any]):
    """What is wanted, delivered, acknowledged and observed at this moment."""

    policy = OfPolicy(allow_null=True)
    services = OfHub(source="hubs", many=True)
    gateways = OfGatewayTruth(many=True)
    corrections = OfCorrectionTruth(many=True)


class OfAlarm(serializers.ModelSerializer[Alarm]):
    """One alarm, from the fault to its healing."""

    kind = serializers.ChoiceField(choices=AlarmKind.choices)
    about = serializers.CharField(source="target")
    acknowledged_by = serializers.CharField(source="acknowledged_by.username", default=None, allow_null=True)

    class Meta:
        model = Alarm
        fields = (
            *("id", "kind", "about", "correction", "gateway", "detail", "examples", "since", "raised_at"),
            *("acknowledged_at", "acknowledged_by", "note", "cleared_at", "cleared_because"),
        )
        read_only_fields = fields


class Note(serializers.Serializer[Any]):
    """What somebody may add when they look after an alarm."""

    note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class Window(serializers.Serializer[Any]):
    """Which stretch of time is asked for."""

    window = serializers.ChoiceField(choices=[(name, name) for name in WINDOWS], default="day")


class OfColumn(serializers.Serializer[Any]):
    """What happened in one stretch of time; users and organisations are counted once in it."""

    at = serializers.DateTimeField()
    refused = serializers.IntegerField()
    shadow = serializers.IntegerField(help_text="Would have been refused.")
    warned = serializers.IntegerField()
    flagged = serializers.IntegerField()
    users = serializers.IntegerField()
    organisations = serializers.IntegerField()


class OfSeries(serializers.Serializer[Any]):
    """What a correction did over time."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    seconds = serializers.SerializerMethodField(help_text="How long one column is.")
    total = OfColumn()
    columns = OfColumn(many=True)

    def get_seconds(self, found: Series) -> int:
        """Give the width of a column."""
        return int(found.width.total_seconds())
