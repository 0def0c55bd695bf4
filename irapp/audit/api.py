"""The log for machines: read only, the same filter as the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.core.validators import RegexValidator
from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from irapp.accounts.models import Scope
from irapp.audit import incidents
from irapp.audit.models import Event
from irapp.audit.selectors import SYSTEM, Tab, filtered, visible_to

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from irapp.accounts.models import User


class OfEvent(serializers.ModelSerializer[Event]):
    """An event as it is stored, with the reference of its incident."""

    incident = serializers.SerializerMethodField(help_text="The incident's reference, or empty.")

    class Meta:
        model = Event
        fields = (
            *("id", "at", "verb", "target_type", "target_id", "target_name"),
            *("incident_id", "incident", "actor_id", "actor_name", "request_id", "data"),
        )
        read_only_fields = fields

    def get_incident(self, event: Event) -> str:
        """Name the incident."""
        return incidents.named(event.incident_id)[0]


class EventFilter(filters.FilterSet):  # type: ignore[misc]  # untyped library
    """What the log may be narrowed by; all that is given must hold."""

    q = filters.CharFilter(method="narrow", max_length=200, label="Words")
    person = filters.CharFilter(
        method="narrow",
        validators=[RegexValidator(rf"^([0-9]{{1,18}}|{SYSTEM})$", "An account's number, or `system`.")],
        label="The actor's account, or `system`",
    )
    verb = filters.CharFilter(method="narrow", max_length=60, label="A verb or its beginning")
    incident = filters.CharFilter(method="narrow", max_length=30, label="A reference, such as INC-0001")
    target = filters.CharFilter(method="narrow", max_length=250, label="A name's beginning, or `type:id`")
    since = filters.IsoDateTimeFilter(method="narrow", label="From this time on")
    until = filters.IsoDateTimeFilter(method="narrow", label="Before this time")
    tab = filters.ChoiceFilter(
        method="narrow", choices=[choice for choice in Tab.choices if choice[0]], label="A kind of event"
    )

    class Meta:
        model = Event
        fields: ClassVar[list[str]] = []

    def narrow(self, found: Any, name: str, value: Any) -> Any:
        """Ask the same question as the page."""
        return filtered(found, {name: value})


class Events(ReadOnlyModelViewSet[Event]):
    """What happened. Events are added by what people do, and never changed."""

    queryset = Event.objects.none()
    serializer_class = OfEvent
    filterset_class = EventFilter
    lookup_value_regex = "[0-9]{1,18}"
    scopes: ClassVar = {"list": Scope.EVENTS_READ, "retrieve": Scope.EVENTS_READ}

    def get_queryset(self) -> QuerySet[Event]:
        """Give what the caller may see."""
        return visible_to(cast("User", self.request.user))


ROUTES = (("events", Events, "event"),)
"""What the router of the project registers."""
