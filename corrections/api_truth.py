"""The truth of the moment for machines: what stands where, alarms, what corrections did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from corrections import actions
from corrections.api_base import READ, Read, user_of
from corrections.models import Alarm, AlarmKind, Correction
from corrections.selectors.alarms import alarms
from corrections.selectors.decision_log import series
from corrections.selectors.truth import truth
from corrections.serializers import truth as serializers

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request


class AlarmFilter(filters.FilterSet):  # type: ignore[misc]
    """By kind, and whether it is open."""

    kind = filters.MultipleChoiceFilter(choices=AlarmKind.choices)
    open = filters.BooleanFilter(field_name="cleared_at", lookup_expr="isnull")


class Standing(viewsets.GenericViewSet[Any]):
    """What is wanted, delivered to the services, acknowledged by the gateways, and observed there."""

    scopes: ClassVar = {"list": READ}
    queryset = Correction.objects.none()
    pagination_class = None
    filter_backends = ()
    serializer_class = serializers.OfTruth

    @extend_schema(responses=serializers.OfTruth)
    def list(self, request: Request) -> Response:
        """Give the picture of this moment."""
        seen = truth(user_of(request), now=timezone.now())
        return Response(serializers.OfTruth(seen).data)


class Alarms(mixins.ListModelMixin, mixins.RetrieveModelMixin, Read):
    """Read alarms, open and cleared; acknowledge one, signed in. No scope lets a token acknowledge."""

    scopes: ClassVar = {"list": READ, "retrieve": READ}
    queryset = Alarm.objects.none()
    filterset_class = AlarmFilter
    brief = full = serializers.OfAlarm

    def get_queryset(self) -> QuerySet[Alarm]:
        """Give what the person may see."""
        return alarms(user_of(self.request))

    @extend_schema(request=serializers.Note, responses=serializers.OfAlarm)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the router gives it
        """Say that one looks after it."""
        said = serializers.Note(data=request.data)
        said.is_valid(raise_exception=True)
        alarm = actions.acknowledge_alarm(
            alarm_id=self.get_object().pk, by=user_of(request), **said.validated_data
        )
        return Response(serializers.OfAlarm(alarm).data)


class Refusals(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """What one correction did over time, by its id."""

    scopes: ClassVar = {"retrieve": READ}
    queryset = Correction.objects.none()
    filter_backends = ()
    serializer_class = serializers.OfSeries

    def get_queryset(self) -> QuerySet[Correction]:
        """Give what the person may see."""
        found: QuerySet[Correction] = Correction.objects.visible_to(user_of(self.request))
        return found

    @extend_schema(parameters=[serializers.Window], responses=serializers.OfSeries)
    def retrieve(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the router gives it
        """Count requests, users and organisations over the last hour, the last day or its whole life."""
        asked = serializers.Window(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = series(self.get_object(), asked.validated_data["window"], now=timezone.now())
        return Response(serializers.OfSeries(found).data)
