"""Webhooks for machines: tokens read; only a signed-in administrator changes where policies go."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.decorators import action
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.permissions import BasePermission
from rest_framework.response import Response

from corrections.webhooks import actions, attachments, policies, serializers, tickets
from corrections.webhooks.models import Endpoint
from irapp.accounts.models import Scope

if TYPE_CHECKING:
    from collections.abc import Container

    from django.db.models import QuerySet
    from rest_framework.request import Request

    from irapp.accounts.models import User

READ = Scope.CORRECTIONS_READ


class Webhooks(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Endpoint]):
    """Read webhooks; add, try out, rotate, pause and remove them, signed in.

    No call here takes an ``Idempotency-Key``: answers to such calls are remembered, and some of these hold a
    secret. A webhook's name is given once, so that adding one twice is refused.
    """

    scopes: ClassVar = {"list": READ, "retrieve": READ}
    queryset = Endpoint.objects.none()

    def get_queryset(self) -> QuerySet[Endpoint]:
        """Give them all, also those that were removed."""
        policies.check_can_see(_user(self.request))
        return Endpoint.objects.select_related("gateway")

    def get_serializer_class(self) -> Any:
        """Give more of one than of many."""
        return serializers.OfEndpoint if self.action == "list" else serializers.OneEndpoint

    @extend_schema(request=serializers.NewEndpoint, responses={201: serializers.RevealedEndpoint})
    def create(self, request: Request) -> Response:
        """Add a webhook; the answer holds its secret, this once."""
        policies.check_can_manage(_user(request))
        said = _read(serializers.NewEndpoint, request)
        revealed = actions.add_endpoint(by=_user(request), **said)
        return _revealed(revealed, HTTPStatus.CREATED)

    @extend_schema(request=serializers.Overlap, responses=serializers.RevealedEndpoint)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the router gives it
        """Exchange the secret; the answer holds the new one, this once."""
        policies.check_can_manage(_user(request))
        said = _read(serializers.Overlap, request)
        revealed = actions.rotate_secret(endpoint_id=self.get_object().pk, by=_user(request), **said)
        return _revealed(revealed, HTTPStatus.OK)

    @extend_schema(request=None, responses=serializers.Pinged)
    @action(detail=True, methods=["post"])
    def ping(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the router gives it
        """Ask it now which policy it holds."""
        outcome = actions.ping_endpoint(endpoint_id=self.get_object().pk, by=_user(request))
        held = outcome.held.version if outcome.held else None
        said = {"acknowledged": not outcome.error, "policy_version": held, "error": outcome.error}
        return Response(said | {"status": outcome.status, "took_ms": outcome.took_ms})

    @extend_schema(request=serializers.Because, responses=serializers.OneEndpoint)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the router gives it
        """Send nothing there for now."""
        return self._do(actions.pause_endpoint, request, serializers.Because)

    @extend_schema(request=None, responses=serializers.OneEndpoint)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the router gives it
        """Send there again."""
        return self._do(actions.resume_endpoint, request, None)

    @extend_schema(request=serializers.Requirement, responses=serializers.OneEndpoint)
    @action(detail=True, methods=["post"])
    def require(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the router gives it
        """Say whether corrections wait for it."""
        return self._do(actions.require_endpoint, request, serializers.Requirement)

    @extend_schema(request=serializers.Because, responses=serializers.OneEndpoint)
    @action(detail=True, methods=["post"])
    def remove(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the router gives it
        """Send nothing there any more."""
        return self._do(actions.remove_endpoint, request, serializers.Because)

    def _do(self, act: Any, request: Request, takes: Any) -> Response:
        policies.check_can_manage(_user(request))
        said = _read(takes, request) if takes else {}
        endpoint = act(endpoint_id=self.get_object().pk, by=_user(request), **said)
        return Response(serializers.OneEndpoint(endpoint).data)


class Ticket(BaseAuthentication):
    """``Authorization: Bearer …`` with the ticket that came with a policy."""

    def authenticate(self, request: Request) -> tuple[None, Container[str]]:
        """Give what the ticket opens as ``request.auth``."""
        kind, _, ticket = get_authorization_header(request).decode("latin-1").partition(" ")
        opened = tickets.opens(ticket) if kind.lower() == "bearer" else frozenset()
        if not opened:
            raise AuthenticationFailed("A ticket that came with a policy is needed; it holds for a day.")
        return None, opened

    def authenticate_header(self, _request: Request) -> str:
        """Ask for it (401)."""
        return "Bearer"


class OpenedByTicket(BasePermission):
    """What the ticket opens is looked at where the attachment is known."""

    def has_permission(self, request: Request, _view: object) -> bool:
        """Ask for a ticket."""
        return bool(request.auth)


class Attachments(viewsets.ViewSet):
    """The lists and pattern sets that a policy names, for the receivers it was sent to."""

    authentication_classes = (Ticket,)
    permission_classes = (OpenedByTicket,)
    lookup_field = "digest"
    lookup_value_regex = "sha256:[0-9a-f]{64}"

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def retrieve(self, request: Request, digest: str) -> HttpResponse:
        """Give the bytes whose SHA-256 is the name."""
        raw = attachments.read(digest) if digest in cast("Container[str]", request.auth) else None
        if raw is None:
            raise NotFound("This policy names no such attachment.")
        return HttpResponse(
            raw, content_type="application/octet-stream", headers={"Cache-Control": "private"}
        )


ROUTES: tuple[tuple[str, type[viewsets.ViewSetMixin], str], ...] = (
    ("webhooks", Webhooks, "webhook"),
    ("webhook-attachments", Attachments, "webhook-attachment"),
)
"""What the router of the project registers."""


def _user(request: Request) -> User:
    return cast("User", request.user)


def _read(kind: Any, request: Request) -> dict[str, Any]:
    said = kind(data=request.data)
    said.is_valid(raise_exception=True)
    return dict(said.validated_data)


def _revealed(revealed: actions.Revealed, status: HTTPStatus) -> Response:
    told = serializers.RevealedEndpoint(revealed.endpoint, context={"secret": revealed.secret})
    return Response(told.data, status=status, headers={"Cache-Control": "no-store"})
