"""What the doors for machines have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django_filters import rest_framework as filters
from rest_framework import viewsets
from rest_framework.exceptions import ValidationError

from irapp.accounts.models import Scope
from irapp.common.api.idempotency import Idempotent
from irapp.common.api.pagination import NewestFirst

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from irapp.accounts.models import User

PAGING = {NewestFirst.cursor_query_param, NewestFirst.page_size_query_param}
READ = Scope.CORRECTIONS_READ
PROPOSE = Scope.CORRECTIONS_PROPOSE


class NoFilter(filters.FilterSet):  # type: ignore[misc]
    """For lists that are short."""


class Read(Idempotent, viewsets.GenericViewSet[Any]):
    """Lists give an excerpt, one record gives all. A filter that nobody knows is refused, not ignored."""

    brief: ClassVar[Any]
    full: ClassVar[Any]

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow by the filters there are."""
        known = getattr(self, "filterset_class", NoFilter).base_filters
        unknown = set(self.request.query_params) - set(known) - PAGING
        if self.action == "list" and unknown:
            raise ValidationError({name: ["There is no such filter."] for name in sorted(unknown)})
        return super().filter_queryset(queryset)

    def get_serializer_class(self) -> Any:
        """Give more of one than of many."""
        return self.brief if self.action == "list" else self.full


def user_of(request: Request) -> User:
    """Give the person; whoever is nobody was refused before."""
    return cast("User", request.user)
