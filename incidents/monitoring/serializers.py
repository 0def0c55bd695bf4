"""How signals look to machines, and what machines may send."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from incidents.models import Severity
from incidents.monitoring.models import Signal, SignalGroup
from irapp.common.api.serializers import StrictSerializer


class Text(serializers.CharField):
    """Text that was sent as text: a number or a truth value in its place is a mistake of the sender."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse everything else."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class SendSignal(StrictSerializer):
    """A signal."""

    # The three ignored lines: a declared field is taken off the class, it hides nothing.
    source = Text(max_length=60, help_text="The code of a source.")  # type: ignore[assignment]
    key = Text(
        required=False,
        max_length=200,
        help_text="The sender's own name for it; or send it as Idempotency-Key. Sent again, it is the same.",
    )
    title = Text(max_length=200)
    body = Text(required=False, allow_blank=True, max_length=20_000, help_text="Markdown.")
    severity = serializers.ChoiceField(
        required=False, allow_blank=True, choices=Severity.choices, help_text="A suggestion."
    )
    model_name = Text(required=False, allow_blank=True, max_length=100)
    fingerprint = Text(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="What it is about: signals with the same one are dealt with together. "
        "Left out, it is made of title and model.",
    )
    observed_at = serializers.DateTimeField(required=False, help_text="Left out, it is now.")
    data = serializers.DictField(  # type: ignore[assignment]
        required=False, help_text="Facts, at most 16 000 bytes and 8 levels."
    )


class SignalRow(serializers.ModelSerializer[Signal]):
    """A signal as it was received."""

    source = serializers.CharField(source="source.code", read_only=True)  # type: ignore[assignment]
    group = serializers.IntegerField(source="group_id", read_only=True)

    class Meta:
        model = Signal
        fields: ClassVar = [
            "id",
            "source",
            "key",
            "group",
            "title",
            "body",
            "severity",
            "model_name",
            "observed_at",
            "received_at",
            "data",
        ]
        read_only_fields: ClassVar = fields


class GroupRow(serializers.ModelSerializer[SignalGroup]):
    """Signals with the same fingerprint, and what became of them."""

    incident = serializers.CharField(source="incident.reference", default=None, read_only=True)
    acknowledged_by = serializers.CharField(source="acknowledged_by.username", default=None, read_only=True)

    class Meta:
        model = SignalGroup
        fields: ClassVar = [
            "id",
            "reference",
            "title",
            "fingerprint",
            "model_name",
            "severity",
            "state",
            "count",
            "first_seen_at",
            "last_seen_at",
            "waiting_since",
            "incident",
            "acknowledged_by",
            "acknowledged_at",
            "closed_at",
            "closed_reason",
        ]
        read_only_fields: ClassVar = fields
