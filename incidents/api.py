"""Incidents for machines: the same actions that the pages call."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from incidents import actions, serializers
from incidents.models import Incident, Severity
from incidents.selectors.listing import filtered
from incidents.states import State
from irapp.accounts.models import Scope
from irapp.common.api.idempotency import Idempotent
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from irapp.accounts.models import User
    from irapp.common.api.serializers import StrictSerializer

_REVISION = re.compile(r'"(\d{1,9})"')
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag that was read; another one is refused."
)


class IncidentFilter(filters.FilterSet):  # type: ignore[misc]  # untyped library
    """What the list may be narrowed by."""

    state = filters.ChoiceFilter(method="narrow", choices=[("OPEN", "Open"), *State.choices])
    severity = filters.ChoiceFilter(method="narrow", choices=Severity.choices)
    model_name = filters.CharFilter(method="narrow", max_length=100)
    # Last: the search then looks only among what the others left.
    q = filters.CharFilter(
        method="narrow", max_length=200, label="Words or a reference; the 1 000 newest hits"
    )

    class Meta:
        model = Incident
        fields: ClassVar[list[str]] = []

    def narrow(self, found: Any, name: str, value: str) -> Any:
        """Ask the same question as the page."""
        return filtered(found, {name: value})


def _parsed(request: Request, kind: type[StrictSerializer]) -> dict[str, Any]:
    serializer = kind(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _revision(request: Request) -> int | None:
    given = request.headers.get("If-Match", "")
    if given in {"", "*"}:
        return None
    found = _REVISION.fullmatch(given.strip())
    if found is None:
        raise InvalidError("If-Match takes one ETag as it was sent, in quotes.", code="bad_if_match")
    return int(found[1])


class Incidents(Idempotent, ListModelMixin, GenericViewSet[Incident]):
    """Incidents: read, open, change, move, write notes."""

    queryset = Incident.objects.none()
    serializer_class = serializers.IncidentRow
    filterset_class = IncidentFilter
    scopes: ClassVar = {
        "list": Scope.INCIDENTS_READ,
        "retrieve": Scope.INCIDENTS_READ,
        "create": Scope.INCIDENTS_WRITE,
        "partial_update": Scope.INCIDENTS_WRITE,
        "move": Scope.INCIDENTS_WRITE,
        "notes": Scope.INCIDENTS_WRITE,
    }

    def get_queryset(self) -> QuerySet[Incident]:
        """Give what the caller may see."""
        seen: QuerySet[Incident] = Incident.objects.visible_to(self.caller)
        return seen.select_related("commander", "opened_by")

    @property
    def caller(self) -> User:
        """Whoever calls; the permission class has let nobody else through."""
        return cast("User", self.request.user)

    @extend_schema(responses=serializers.IncidentDetail)
    def retrieve(self, _request: Request, pk: str) -> Response:
        """Read an incident, with what its next move asks for. ``ETag`` is its revision."""
        return self._answer(self._visible(pk))

    @extend_schema(
        request=serializers.OpenIncident, responses={HTTPStatus.CREATED: serializers.IncidentDetail}
    )
    def create(self, request: Request) -> Response:
        """Open an incident."""
        content = _parsed(request, serializers.OpenIncident)
        incident = actions.open_incident(by=self.caller, **content)
        response = self._answer(self._visible(str(incident.pk)), HTTPStatus.CREATED)
        response["Location"] = request.build_absolute_uri(f"{incident.pk}/")
        return response

    @extend_schema(
        request=serializers.EditIncident, responses=serializers.IncidentDetail, parameters=[IF_MATCH]
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given. ``If-Match`` guards against overwriting what somebody else wrote."""
        incident, revision = self._visible(pk), _revision(request)
        content = _parsed(request, serializers.EditIncident)
        actions.edit(incident_id=incident.pk, by=self.caller, revision=revision, **content)
        return self._answer(self._visible(pk))

    @extend_schema(request=serializers.MakeMove, responses=serializers.IncidentDetail, parameters=[IF_MATCH])
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        """Make a move; a refusal lists what is missing."""
        incident, revision = self._visible(pk), _revision(request)
        content = _parsed(request, serializers.MakeMove)
        actions.move(incident_id=incident.pk, by=self.caller, revision=revision, **content)
        return self._answer(self._visible(pk))

    @extend_schema(request=serializers.WriteNote, responses={HTTPStatus.CREATED: serializers.NoteRow})
    @action(detail=True, methods=["post"])
    def notes(self, request: Request, pk: str) -> Response:
        """Write a note."""
        incident = self._visible(pk)
        content = _parsed(request, serializers.WriteNote)
        note = actions.add_note(incident_id=incident.pk, by=self.caller, **content)
        return Response(serializers.NoteRow(note).data, status=HTTPStatus.CREATED)

    def _visible(self, pk: str) -> Incident:
        key = int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 19 else 0  # noqa: PLR2004 (a bigint)
        return get_object_or_404(self.get_queryset(), pk=key)

    def _answer(self, incident: Incident, status: HTTPStatus = HTTPStatus.OK) -> Response:
        data = serializers.IncidentDetail(incident).data
        return Response(data, status=status, headers={"ETag": f'"{incident.revision}"'})


ROUTES = (("incidents", Incidents, "incident"),)
"""What the router of the project registers."""
