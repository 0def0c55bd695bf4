"""Segments and pattern sets for machines: the same actions, files as bodies, every refusal a problem."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.http import Http404
from django_filters import rest_framework as filters
from drf_spectacular.drainage import isolate_view_method
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
    from collections.abc import Callable

    from django.db.models import QuerySet
    from rest_framework.request import Request
    from rest_framework.serializers import Serializer

    from corrections.segments.models import PatternSetVersion, SegmentVersion
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
    """What segments and pattern sets have in common; what differs is named by each."""

    scopes: ClassVar = {
        **dict.fromkeys(("list", "retrieve", "versions", "subjects", "patterns", "try_text"), READ),
        **dict.fromkeys(("create", "retire", "change", "take_in"), WRITE),
    }
    model: ClassVar[type[Segment | PatternSet]]
    filterset_class: ClassVar[type[filters.FilterSet]] = RegisterFilter
    begins: ClassVar[type[Serializer[Any]]]
    named: ClassVar[type[serializers.Meant]]
    imported: ClassVar[type[serializers.Meant]]
    version_class: ClassVar[type[Serializer[Any]]]
    words: ClassVar[tuple[str, str, str]]
    _begin: ClassVar[Callable[..., Any]]
    _preview: ClassVar[Callable[..., panels.Preview]]
    _of_names: Callable[..., Any]
    _of_file: Callable[..., Any]
    _import: Callable[..., Any]

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

    def create(self, request: Request) -> Response:
        """Begin an empty one."""
        said = _valid(self.begins, request.data).validated_data
        begun = self._begin(by=_user(request), **said)
        return Response(self.get_serializer_class()(begun).data, status=CREATED)

    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the router gives it
        """Take it out of use."""
        said = _valid(serializers.Reason, request.data).validated_data
        done = actions.retire(kind=self.model, pk=self.get_object().pk, by=_user(request), **said)
        return Response(self.get_serializer_class()(done).data)

    @action(detail=True, methods=["get"])
    def versions(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Give its versions, the newest first."""
        rows = self.paginate_queryset(self.get_object().versions.in_full())
        return self.get_paginated_response(self.version_class(rows, many=True).data)

    @versions.mapping.post
    def change(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Add, remove or replace what is named in the body."""
        said = _valid(self.named, request.data)
        return self._taken(said, self._of_names(said))

    @action(detail=True, methods=["post"], url_path="import", parser_classes=[TextFileParser])
    def take_in(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Take a file in; with ``dry_run`` only say what it would do."""
        said = _valid(self.imported, request.query_params.dict())
        body = request.data if isinstance(request.data, Body) else Body(b"")  # without one it is empty
        return self._taken(said, self._of_file(said, body.raw), digest=body["digest"])

    def _taken(self, said: serializers.Meant, read: Any, *, digest: str = "") -> Response:
        register, by = self.get_object(), _user(self.request)
        intent = said.intent(name=said.validated_data.get("file_name", ""), digest=digest)
        if said.validated_data["dry_run"]:
            policies.check_can_import(register, by, revision=intent.revision)
            return Response(serializers.previewed(self._preview(register, read, intent.mode)))
        version = self._import(register, read=read, intent=intent, by=by)
        return Response(self.version_class(version).data, status=CREATED)


def _documented(view: type[Registers]) -> type[Registers]:
    """Tell the schema what the calls of this kind take and give, and in which words."""
    one, version = view.serializer_class, view.version_class
    changed = {201: version, 200: serializers.OfPreview}
    begun, named, imported = view.words
    schemas = {
        "create": extend_schema(request=view.begins, responses={201: one}, description=begun),
        "retire": extend_schema(request=serializers.Reason, responses=one),
        "versions": extend_schema(responses=version(many=True)),
        "change": extend_schema(request=view.named, responses=changed, description=named),
        "take_in": extend_schema(
            parameters=[view.imported], request=FILE, responses=changed, description=imported
        ),
    }
    for name, told in schemas.items():
        told(isolate_view_method(view, name))  # type: ignore[no-untyped-call]
    return view


@_documented
class Segments(Registers):
    """Segments: users, organisations or keys that corrections name together."""

    model = Segment
    queryset = Segment.objects.none()
    filterset_class = SegmentFilter
    serializer_class, version_class = serializers.OfSegment, serializers.OfSegmentVersion
    begins, named, imported = serializers.NewSegment, serializers.Subjects, serializers.Import
    words = (
        "Begin a segment; nobody is in it yet.",
        "Add, remove or replace subjects that are named in the body.",
        "Take a CSV file in, up to 100 000 subjects; with ``dry_run`` only say what it would do.",
    )
    _begin = staticmethod(actions.create_segment)
    _preview = staticmethod(panels.preview_read)

    def _of_names(self, said: serializers.Meant) -> reading.Read:
        return reading.of_names(said.validated_data["subjects"])

    def _of_file(self, said: serializers.Import, raw: bytes) -> reading.Read:
        return reading.read(raw, of=self.get_object().of, layout=said.layout())

    def _import(self, segment: Segment, **what: Any) -> SegmentVersion:
        return actions.import_subjects(segment_id=segment.pk, **what)

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


@_documented
class PatternSets(Registers):
    """Pattern sets: what content filters look for."""

    model = PatternSet
    queryset = PatternSet.objects.none()
    serializer_class, version_class = serializers.OfPatternSet, serializers.OfPatternSetVersion
    begins, named, imported = serializers.NewPatternSet, serializers.Patterns, serializers.PatternImport
    words = (
        "Begin a pattern set; nothing is in it yet.",
        "Add, remove or replace patterns that are named in the body.",
        "Take a file in: lines, CSV with headings, or JSON; with ``dry_run`` only say what it would do.",
    )
    _begin = staticmethod(actions.create_pattern_set)
    _preview = staticmethod(panels.preview_read_patterns)

    def _of_names(self, said: serializers.Meant) -> pattern_files.ReadPatterns:
        return pattern_files.of_entries(said.validated_data["patterns"])

    def _of_file(self, said: serializers.Meant, raw: bytes) -> pattern_files.ReadPatterns:
        return pattern_files.read(raw, name=said.validated_data["file_name"])

    def _import(self, register: PatternSet, **what: Any) -> PatternSetVersion:
        return actions.import_patterns(pattern_set_id=register.pk, **what)

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


ROUTES: tuple[tuple[str, type[viewsets.GenericViewSet[Any]], str], ...] = (
    ("segments", Segments, "segment"),
    ("pattern-sets", PatternSets, "pattern-set"),
)
"""What the router of the project registers."""


def _user(request: Request) -> User:
    """Give the person; whoever is nobody was refused before."""
    return cast("User", request.user)


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
