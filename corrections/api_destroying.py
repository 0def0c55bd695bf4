"""Orders of destruction and holds on evidence for machines. A token may write them; it can never sign."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.response import Response

from corrections import actions
from corrections.api_base import PROPOSE, READ, Read, user_of
from corrections.models import DestructionOrder, EvidenceHold
from corrections.serializers import destroying as serializers
from incidents.models import Incident
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from irapp.accounts.models import User


class Orders(mixins.ListModelMixin, mixins.RetrieveModelMixin, Read):
    """Read orders of destruction and draft them; sign and withdraw, signed in. Nothing is destroyed here."""

    scopes: ClassVar = {"list": READ, "retrieve": READ, "create": PROPOSE}
    queryset = DestructionOrder.objects.none()
    brief, full = serializers.OfOrder, serializers.OneOrder

    def get_queryset(self) -> QuerySet[Any]:
        """Give what the person may see."""
        seen: QuerySet[Any] = DestructionOrder.objects.visible_to(user_of(self.request))
        return seen.select_related("incident", "drafted_by")

    @extend_schema(request=serializers.NewOrder, responses={201: serializers.OneOrder})
    def create(self, request: Request) -> Response:
        """Draft an order; nobody has signed it yet."""
        said = serializers.NewOrder(data=request.data)
        said.is_valid(raise_exception=True)
        by, values = user_of(request), dict(said.validated_data)
        incident = _incident(by, values.pop("incident"))
        order = actions.draft_order(incident_id=incident.pk, by=by, **values)
        return Response(
            serializers.OneOrder(order, context=self.get_serializer_context()).data, status=HTTPStatus.CREATED
        )

    @extend_schema(request=serializers.SignatureGiven, responses={201: serializers.OneOrder})
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the router gives it
        """Sign exactly the content with this digest. No scope lets a token sign."""
        said = serializers.SignatureGiven(data=request.data)
        said.is_valid(raise_exception=True)
        order = actions.sign_order(order_id=self.get_object().pk, by=user_of(request), **said.validated_data)
        return Response(
            serializers.OneOrder(order, context=self.get_serializer_context()).data, status=HTTPStatus.CREATED
        )

    @extend_schema(request=serializers.Reasoned, responses={200: serializers.OneOrder})
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the router gives it
        """Take it back."""
        said = serializers.Reasoned(data=request.data)
        said.is_valid(raise_exception=True)
        order = actions.withdraw_order(
            order_id=self.get_object().pk, by=user_of(request), **said.validated_data
        )
        return Response(serializers.OneOrder(order, context=self.get_serializer_context()).data)


class EvidenceHolds(mixins.ListModelMixin, mixins.RetrieveModelMixin, Read):
    """Read holds on evidence and place them; release, signed in."""

    scopes: ClassVar = {"list": READ, "retrieve": READ, "create": PROPOSE}
    queryset = EvidenceHold.objects.none()
    brief = full = serializers.OfHold

    def get_queryset(self) -> QuerySet[Any]:
        """Give what the person may see."""
        seen = EvidenceHold.objects.visible_to(user_of(self.request))
        return seen.select_related("incident", "placed_by")

    @extend_schema(request=serializers.NewHold, responses={201: serializers.OfHold})
    def create(self, request: Request) -> Response:
        """Have something kept."""
        said = serializers.NewHold(data=request.data)
        said.is_valid(raise_exception=True)
        by, values = user_of(request), dict(said.validated_data)
        incident = _incident(by, values.pop("incident"))
        hold = actions.place_hold(incident_id=incident.pk, by=by, **values)
        return Response(serializers.OfHold(hold).data, status=HTTPStatus.CREATED)

    @extend_schema(request=serializers.Reasoned, responses={200: serializers.OfHold})
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the router gives it
        """Let go of it. No scope lets a token do that."""
        said = serializers.Reasoned(data=request.data)
        said.is_valid(raise_exception=True)
        hold = actions.release_hold(hold_id=self.get_object().pk, by=user_of(request), **said.validated_data)
        return Response(serializers.OfHold(hold).data)


def _incident(by: User, pk: int) -> Incident:
    found: Incident | None = Incident.objects.visible_to(by).filter(pk=pk).first()
    if found is None:
        raise InvalidError("There is no such incident.", field="incident", code="not_found")
    return found
