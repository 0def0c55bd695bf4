"""What the API takes and tells about webhooks."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from corrections.webhooks.actions import LONGEST_OVERLAP
from corrections.webhooks.models import Delivery, Endpoint


class OfDelivery(serializers.ModelSerializer[Delivery]):
    """One attempt."""

    class Meta:
        model = Delivery
        fields = ("message", "event", "version", "at", "took_ms", "status", "error")


class OfEndpoint(serializers.ModelSerializer[Endpoint]):
    """A webhook as it stands; never its secret."""

    name = serializers.CharField(source="gateway.name")
    required = serializers.BooleanField(source="gateway.required")  # type: ignore[assignment]
    policy_version = serializers.IntegerField(source="gateway.policy_version", allow_null=True)
    policy_digest = serializers.CharField(source="gateway.policy_digest")
    live = serializers.BooleanField(source="gateway.live")
    seen_at = serializers.DateTimeField(source="gateway.seen_at", allow_null=True)
    error = serializers.CharField(source="gateway.error")

    class Meta:
        model = Endpoint
        fields = (
            *("id", "name", "url", "required", "created_at", "paused_at", "paused_because", "removed_at"),
            *("policy_version", "policy_digest", "live", "seen_at", "error", "failing_since"),
        )


class OneEndpoint(OfEndpoint):
    """A webhook with its last deliveries."""

    deliveries = serializers.SerializerMethodField()

    class Meta(OfEndpoint.Meta):
        fields = (*OfEndpoint.Meta.fields, "deliveries")  # type: ignore[assignment]

    def get_deliveries(self, endpoint: Endpoint) -> list[dict[str, Any]]:
        """Give the last twenty, the newest first."""
        return list(OfDelivery(Delivery.objects.filter(endpoint=endpoint)[:20], many=True).data)


class RevealedEndpoint(OfEndpoint):
    """A webhook with its new secret, this once."""

    secret = serializers.SerializerMethodField()

    class Meta(OfEndpoint.Meta):
        fields = (*OfEndpoint.Meta.fields, "secret")  # type: ignore[assignment]

    def get_secret(self, _endpoint: Endpoint) -> str:
        """Give what the action revealed."""
        return str(self.context["secret"])


class NewEndpoint(serializers.Serializer[Any]):
    """What it takes to add one."""

    name = serializers.CharField(max_length=63)
    url = serializers.CharField(max_length=500)
    required = serializers.BooleanField(default=True)  # type: ignore[assignment]


class Overlap(serializers.Serializer[Any]):
    """How long the old secret goes on."""

    overlap_hours = serializers.IntegerField(min_value=0, max_value=LONGEST_OVERLAP, default=24)


class Because(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=4_000)


class Requirement(serializers.Serializer[Any]):
    """Whether corrections wait for it."""

    required = serializers.BooleanField()  # type: ignore[assignment]


class Pinged(serializers.Serializer[Any]):
    """What a ping came to."""

    acknowledged = serializers.BooleanField()
    status = serializers.IntegerField(allow_null=True)
    took_ms = serializers.IntegerField()
    policy_version = serializers.IntegerField(allow_null=True)
    error = serializers.CharField()
