"""Segments and pattern sets for machines: the same actions, files as bodies, every refusal a problem."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.http import Http404
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from corrections.segments import actions, panels, pattern_files, policies, reading, serializers
from corrections.segments.models import PatternSet, Segment
from corrections.segments.selectors import members
from corrections.segments.selectors.trying import try_out
from irapp.accounts.models import Scope
from irapp.common.api.files import Body, TextFileParser
from irapp.common.api.idempotency import Idempotent
from irapp.common.api.pagination import NewestFirst

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from irapp.accounts.models import User

PAGING = {NewestFirst.cursor_query_param, NewestFirst.page_size_query_param}
READ, WRITE = Scope.CORRECTIONS_READ, Scope.CORRECTIONS_PROPOSE
CREATED, OK = HTTPStatus.CREATED, HTTPStatus.OK
FILE = {"text/csv": OpenApiTypes.BINARY, "text/plain": OpenApiTypes.BINARY}


class RegisterFilter(filters.FilterSet):  # type: ignore[misc]
    """By reference, and whether it is in use."""

    reference = filters.CharFilter(lookup_expr="iexact")
    retired = filters.BooleanFilter(field_name="retired_at", lookup_expr="isnull", exclude=True)


class SegmentFilter(RegisterFilter):
    """Also by kind."""

    of = filters.ChoiceFilter(choices=Segment.Of.choices)


class Registers(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """What segments and pattern sets have in common."""

    scopes: ClassVar = {
        **dict.fromkeys(("list", "retrieve", "versions", "subjects", "patterns", "try_text"), READ),
        **dict.fromkeys(("create", "retire", "change", "take_in"), WRITE),
    }
    model: ClassVar[type[Segment | PatternSet]]
    filterset_class: ClassVar[type[filters.FilterSet]] = RegisterFilter

    def get_queryset(self) -> QuerySet[Any]:
        """Give what the person may see."""
        rows: Any = self.model._default_manager  # noqa: SLF001 (public by Django's documentation)
        return cast("QuerySet[Any]", rows.visible_to(_user(self.request)).select_related("owner"))

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow by the filters there are; a filter that nobody knows is refused."""
        if self.action != "list":
            return queryset
        unknown = set(self.request.query_params) - set(self.filterset_class.base_filters) - PAGING
        if unknown:
            raise ValidationError({name: ["There is no such filter."] for name in sorted(unknown)})
        return super().filter_queryset(queryset)

    def _versions(self, serializer: Any) -> Response:
        rows = self.paginate_queryset(self.get_object().versions.in_full())
        return self.get_paginated_response(serializer(rows, many=True).data)


class Segments(Registers):
    """Segments: users, organisations or keys that corrections name together."""

    model = Segment
    queryset = Segment.objects.none()
    serializer_class = serializers.OfSegment
    filterset_class = SegmentFilter

    @extend_schema(request=serializers.NewSegment, responses={201: serializers.OfSegment})
    def create(self, request: Request) -> Response:
        """Begin a segment; nobody is in it yet."""
        said = _valid(serializers.NewSegment, request.data).validated_data
        begun = actions.create_segment(by=_user(request), **said)
        return Response(serializers.OfSegment(begun).data, status=CREATED)

    @extend_schema(request=serializers.Reason, responses=serializers.OfSegment)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the router gives it
        """Take it out of use."""
        said = _valid(serializers.Reason, request.data).validated_data
        done = actions.retire(kind=Segment, pk=self.get_object().pk, by=_user(request), **said)
        return Response(serializers.OfSegment(done).data)

    @extend_schema(responses=serializers.OfSegmentVersion(many=True))
    @action(detail=True, methods=["get"])
    def versions(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Give its versions, the newest first."""
        return self._versions(serializers.OfSegmentVersion)

    @extend_schema(
        request=serializers.Subjects,
        responses={201: serializers.OfSegmentVersion, 200: serializers.OfPreview},
    )
    @versions.mapping.post
    def change(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Add, remove or replace subjects that are named in the body."""
        said = _valid(serializers.Subjects, request.data)
        return self._taken(request, said, reading.of_names(said.validated_data["subjects"]))

    @extend_schema(
        parameters=[serializers.Import],
        request=FILE,
        responses={201: serializers.OfSegmentVersion, 200: serializers.OfPreview},
    )
    @action(detail=True, methods=["post"], url_path="import", parser_classes=[TextFileParser])
    def take_in(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Take a CSV file in, up to 100 000 subjects; with ``dry_run`` only say what it would do."""
        said = _valid(serializers.Import, request.query_params.dict())
        raw, digest = _file(request)
        read = reading.read(raw, of=self.get_object().of, layout=said.layout())
        return self._taken(request, said, read, digest=digest)

    @extend_schema(parameters=[serializers.AskedSubjects], responses=serializers.OfSubjects)
    @action(detail=True, methods=["get"])
    def subjects(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Give a page of a version's subjects, or say whether one is among them."""
        asked = _valid(serializers.AskedSubjects, request.query_params.dict()).validated_data
        version = _found(members.version_of(self.get_object(), asked.get("version")))
        if "name" in asked:
            name = asked["name"]
            found = members.only([name] if members.contains(version, name) else [])
        else:
            found = members.browse(version, text=asked["q"], page=asked["page"])
        return Response(_paged(version, found) | {"subjects": list(found.rows)})

    def _taken(
        self, request: Request, said: serializers.Meant, read: reading.Read, *, digest: str = ""
    ) -> Response:
        segment = self.get_object()
        intent = said.intent(name=said.validated_data.get("file_name", ""), digest=digest)
        if said.validated_data["dry_run"]:
            policies.check_can_import(segment, _user(request), revision=intent.revision)
            return Response(serializers.previewed(panels.preview_read(segment, read, intent.mode)))
        version = actions.import_subjects(segment_id=segment.pk, read=read, intent=intent, by=_user(request))
        return Response(serializers.OfSegmentVersion(version).data, status=CREATED)


class PatternSets(Registers):
    """Pattern sets: what content filters look for."""

    model = PatternSet
    queryset = PatternSet.objects.none()
    serializer_class = serializers.OfPatternSet

    @extend_schema(request=serializers.NewPatternSet, responses={201: serializers.OfPatternSet})
    def create(self, request: Request) -> Response:
        """Begin a pattern set; nothing is in it yet."""
        said = _valid(serializers.NewPatternSet, request.data).validated_data
        begun = actions.create_pattern_set(by=_user(request), **said)
        return Response(serializers.OfPatternSet(begun).data, status=CREATED)

    @extend_schema(request=serializers.Reason, responses=serializers.OfPatternSet)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Take it out of use."""
        said = _valid(serializers.Reason, request.data).validated_data
        done = actions.retire(kind=PatternSet, pk=self.get_object().pk, by=_user(request), **said)
        return Response(serializers.OfPatternSet(done).data)

    @extend_schema(responses=serializers.OfPatternSetVersion(many=True))
    @action(detail=True, methods=["get"])
    def versions(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Give its versions, the newest first."""
        return self._versions(serializers.OfPatternSetVersion)

    @extend_schema(
        request=serializers.Patterns,
        responses={201: serializers.OfPatternSetVersion, 200: serializers.OfPreview},
    )
    @versions.mapping.post
    def change(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Add, remove or replace patterns that are named in the body."""
        said = _valid(serializers.Patterns, request.data)
        return self._taken(request, said, pattern_files.of_entries(said.validated_data["patterns"]))

    @extend_schema(
        parameters=[serializers.PatternImport],
        request=FILE,
        responses={201: serializers.OfPatternSetVersion, 200: serializers.OfPreview},
    )
    @action(detail=True, methods=["post"], url_path="import", parser_classes=[TextFileParser])
    def take_in(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Take a file in: lines, CSV with headings, or JSON; with ``dry_run`` only say what it would do."""
        said = _valid(serializers.PatternImport, request.query_params.dict())
        raw, digest = _file(request)
        read = pattern_files.read(raw, name=said.validated_data["file_name"])
        return self._taken(request, said, read, digest=digest)

    @extend_schema(parameters=[serializers.Asked], responses=serializers.OfPatterns)
    @action(detail=True, methods=["get"])
    def patterns(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Give a page of a version's patterns."""
        asked = _valid(serializers.Asked, request.query_params.dict()).validated_data
        version = _found(members.patterns_version(self.get_object(), asked.get("version")))
        found = members.browse_patterns(version, text=asked["q"], page=asked["page"])
        return Response(
            _paged(version, found) | {"patterns": serializers.OfPattern(found.rows, many=True).data}
        )

    @extend_schema(request=serializers.Sample, responses=serializers.OfTried)
    @action(detail=True, methods=["post"], url_path="try")
    def try_text(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Hold a text against the newest version, as the gateways would. It is not stored."""
        policies.check_can_keep(_user(request))
        text = _valid(serializers.Sample, request.data).validated_data["text"]
        version = members.patterns_version(self.get_object())
        return Response(serializers.OfTried(try_out(members.patterns_in(version), text)).data)

    def _taken(
        self, request: Request, said: serializers.Meant, read: pattern_files.ReadPatterns, *, digest: str = ""
    ) -> Response:
        register = self.get_object()
        intent = said.intent(name=said.validated_data.get("file_name", ""), digest=digest)
        if said.validated_data["dry_run"]:
            policies.check_can_import(register, _user(request), revision=intent.revision)
            return Response(serializers.previewed(panels.preview_read_patterns(register, read, intent.mode)))
        version = actions.import_patterns(
            pattern_set_id=register.pk, read=read, intent=intent, by=_user(request)
        )
        return Response(serializers.OfPatternSetVersion(version).data, status=CREATED)


ROUTES: tuple[tuple[str, type[viewsets.GenericViewSet[Any]], str], ...] = (
    ("segments", Segments, "segment"),
    ("pattern-sets", PatternSets, "pattern-set"),
)
"""What the router of the project registers."""


def _user(request: Request) -> User:
    """Give the person; whoever is nobody was refused before."""
    return cast("User", request.user)


def _file(request: Request) -> tuple[bytes, str]:
    """Give the body and its digest; a call without a body has an empty one."""
    body = request.data if isinstance(request.data, Body) else Body(b"")
    return body.raw, body["digest"]


def _valid(kind: Any, data: Any) -> Any:
    said = kind(data=data)
    said.is_valid(raise_exception=True)
    return said


def _found(version: Any) -> Any:
    if version is None:
        raise Http404("There is no such version.")
    return version


def _paged(version: Any, found: members.Paged[Any]) -> dict[str, Any]:
    return {"version": version.number, "total": found.total, "page": found.page, "pages": found.pages}
