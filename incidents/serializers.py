"""How incidents look to machines, and what machines may send."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from incidents import gates
from incidents.models import Incident, Note, Severity
from incidents.states import FORWARD, State
from irapp.common.api.serializers import StrictSerializer


class IncidentRow(serializers.ModelSerializer[Incident]):
    """An incident in a list."""

    emergency = serializers.BooleanField(source="is_emergency", read_only=True)
    commander = serializers.CharField(source="commander.username", default=None, read_only=True)
    opened_by = serializers.CharField(source="opened_by.username", read_only=True)

    class Meta:
        model = Incident
        fields: ClassVar = [
            "id",
            "reference",
            "title",
            "state",
            "severity",
            "model_name",
            "restricted",
            "emergency",
            "commander",
            "opened_by",
            "opened_at",
            "moved_at",
            "closed_at",
            "revision",
        ]


class IncidentDetail(IncidentRow):
    """An incident by itself, with the move that leads on and what it asks for."""

    next_move = serializers.SerializerMethodField()
    conditions = serializers.SerializerMethodField()

    class Meta(IncidentRow.Meta):
        fields: ClassVar = [*IncidentRow.Meta.fields, "summary", "next_move", "conditions"]

    def get_next_move(self, incident: Incident) -> str | None:
        """Name the move that leads on; nothing where it has ended."""
        return FORWARD.get(State(incident.state))

    @extend_schema_field({"type": "array", "items": {"type": "object"}})
    def get_conditions(self, incident: Incident) -> list[dict[str, Any]]:
        """List what that move asks for: code, label, met, detail, url, waivable."""
        move = self.get_next_move(incident)
        return [asdict(condition) for condition in gates.read(incident, move)] if move else []


class OpenIncident(StrictSerializer):
    """A new incident."""

    title = serializers.CharField(max_length=200)
    summary = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    severity = serializers.ChoiceField(choices=Severity.choices, required=False, allow_blank=True)
    model_name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    restricted = serializers.BooleanField(required=False)
    source = serializers.CharField(max_length=200, required=False, allow_blank=True)  # type: ignore[assignment]


class EditIncident(StrictSerializer):
    """What changes; the rest stays."""

    title = serializers.CharField(max_length=200, required=False)
    summary = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    severity = serializers.ChoiceField(choices=Severity.choices, required=False, allow_blank=True)
    model_name = serializers.CharField(max_length=100, required=False, allow_blank=True)


class MakeMove(StrictSerializer):
    """A move."""

    move = serializers.CharField(max_length=40)
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    override = serializers.BooleanField(required=False)


class WriteNote(StrictSerializer):
    """A note."""

    body = serializers.CharField(max_length=20_000)
    kind = serializers.ChoiceField(choices=Note.Kind.choices, required=False)


class NoteRow(serializers.ModelSerializer[Note]):
    """A note as it stands."""

    author = serializers.CharField(source="author.username", read_only=True)

    class Meta:
        model = Note
        fields: ClassVar = ["id", "kind", "author", "body", "written_at", "edited_at", "revision"]
