"""Signals for machines: the same action that the report form calls."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from incidents.models import Severity
from incidents.monitoring import actions, serializers
from incidents.monitoring.models import Signal, SignalGroup
from incidents.monitoring.states import State
from irapp.accounts.models import Scope

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from rest_framework.request import Request

    from irapp.accounts.models import User

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="The signal's key, unless the body has it."
)
READ: dict[str, str] = {"list": Scope.INCIDENTS_READ, "retrieve": Scope.INCIDENTS_READ}


class SignalFilter(filters.FilterSet):  # type: ignore[misc]  # untyped library
    """What the list of signals may be narrowed by."""

    source = filters.CharFilter(field_name="source__code", max_length=60)
    group = filters.NumberFilter(field_name="group_id", min_value=1, max_value=2**63 - 1)
    model_name = filters.CharFilter(max_length=100)

    class Meta:
        model = Signal
        fields: ClassVar[list[str]] = []


class GroupFilter(filters.FilterSet):  # type: ignore[misc]  # untyped library
    """What the list of groups may be narrowed by."""

    state = filters.ChoiceFilter(choices=State.choices)
    severity = filters.ChoiceFilter(choices=Severity.choices)
    model_name = filters.CharFilter(max_length=100)

    class Meta:
        model = SignalGroup
        fields: ClassVar[list[str]] = []


class _Reading(ListModelMixin, GenericViewSet[Any]):
    """Lists and details within what the caller may see."""

    @property
    def caller(self) -> User:
        """Whoever calls; the permission class has let nobody else through."""
        return cast("User", self.request.user)

    def visible(self, pk: str) -> Model:
        """Fetch one record; what is hidden, and what is no id at all, is not found."""
        key = int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 19 else 0  # noqa: PLR2004 (a bigint)
        found: Model = get_object_or_404(self.get_queryset(), pk=key)
        return found


class Signals(_Reading):
    """Signals: send and read."""

    queryset = Signal.objects.none()
    serializer_class = serializers.SignalRow
    filterset_class = SignalFilter
    scopes: ClassVar = {"create": Scope.SIGNALS_WRITE, **READ}

    def get_queryset(self) -> QuerySet[Signal]:
        """Give what the caller may see."""
        return Signal.objects.visible_to(self.caller).select_related("source")

    def retrieve(self, _request: Request, pk: str) -> Response:
        """Read a signal."""
        return Response(self.get_serializer(self.visible(pk)).data)

    @extend_schema(
        request=serializers.SendSignal,
        parameters=[KEY],
        responses={
            HTTPStatus.CREATED: serializers.SignalRow,
            HTTPStatus.OK: OpenApiResponse(serializers.SignalRow, description="Sent before."),
        },
    )
    def create(self, request: Request) -> Response:
        """Send a signal. Sent again under the same key, it is answered as at first, and counted once."""
        serializer = serializers.SendSignal(data=request.data)
        serializer.is_valid(raise_exception=True)
        content = serializer.validated_data
        content["key"] = _key(request.headers.get("Idempotency-Key"), content.get("key"))
        received = actions.receive_signal(by=self.caller, **content)
        status = HTTPStatus.OK if received.repeated else HTTPStatus.CREATED
        answer = Response(serializers.SignalRow(received.signal).data, status=status)
        answer["Location"] = request.build_absolute_uri(f"{received.signal.pk}/")
        return answer


class SignalGroups(_Reading):
    """Groups of signals: read. What becomes of them is for people to say."""

    queryset = SignalGroup.objects.none()
    serializer_class = serializers.GroupRow
    filterset_class = GroupFilter
    scopes: ClassVar = READ

    def get_queryset(self) -> QuerySet[SignalGroup]:
        """Give what the caller may see."""
        seen: QuerySet[SignalGroup] = SignalGroup.objects.visible_to(self.caller)
        return seen.select_related("incident", "acknowledged_by")

    def retrieve(self, _request: Request, pk: str) -> Response:
        """Read a group."""
        return Response(self.get_serializer(self.visible(pk)).data)


def _key(header: str | None, field: str | None) -> str:
    """Take the key from where it was sent; from both places only if they agree."""
    if header is None:
        if field is None:
            raise ValidationError({"key": ["Send a key, here or as Idempotency-Key."]})
        return field
    if not _KEY.fullmatch(header):
        raise ValidationError({"Idempotency-Key": ["1 to 200 printable characters without spaces."]})
    if field not in {None, header}:
        raise ValidationError({"key": ["This differs from the Idempotency-Key."]})
    return header


ROUTES = (("signals", Signals, "signal"), ("signal-groups", SignalGroups, "signal-group"))
