"""Corrections, proposals, decisions and gateways for machines. A token may propose; it can never decide."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.db import transaction
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from corrections import actions, serializers
from corrections.api_base import PROPOSE, READ, Read, user_of
from corrections.api_destroying import EvidenceHolds, Orders
from corrections.api_truth import Alarms, Refusals, Standing
from corrections.models import Correction, Gateway, Package, Proposal, Vote
from corrections.states import ProposalState, State, Verdict
from enforcement.policy import EFFECTS
from incidents.models import Incident
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from irapp.accounts.models import User

T = TypeVar("T")


class CorrectionFilter(filters.FilterSet):  # type: ignore[misc]
    """By state, kind, incident and reference."""

    state = filters.MultipleChoiceFilter(choices=State.choices)
    kind = filters.MultipleChoiceFilter(choices=[(kind, kind) for kind in EFFECTS])
    incident = filters.CharFilter(field_name="package__incident__reference", lookup_expr="iexact")
    reference = filters.CharFilter(lookup_expr="iexact")


class DecisionFilter(filters.FilterSet):  # type: ignore[misc]
    """By proposal and verdict."""

    proposal = filters.NumberFilter(field_name="proposal_id")
    verdict = filters.ChoiceFilter(choices=Verdict.choices)


class ProposalFilter(filters.FilterSet):  # type: ignore[misc]
    """By state and correction."""

    state = filters.MultipleChoiceFilter(choices=ProposalState.choices)
    correction = filters.NumberFilter(field_name="correction_id")


class Corrections(mixins.ListModelMixin, mixins.RetrieveModelMixin, Read):
    """Read corrections, draft them, and put them before those who decide."""

    scopes: ClassVar = {"list": READ, "retrieve": READ, "create": PROPOSE, "propose": PROPOSE}
    queryset = Correction.objects.none()
    filterset_class = CorrectionFilter
    brief, full = serializers.OfCorrection, serializers.OneCorrection

    def get_queryset(self) -> QuerySet[Correction]:
        """Give what the person may see."""
        rows: QuerySet[Correction] = Correction.objects.visible_to(user_of(self.request))
        return rows.select_related("package__incident")

    @extend_schema(request=serializers.Draft, responses={201: serializers.OneCorrection})
    def create(self, request: Request) -> Response:
        """Draft a correction; nobody is asked yet."""
        said = serializers.Draft(data=request.data)
        said.is_valid(raise_exception=True)
        correction = _draft(user_of(request), said)
        return Response(serializers.OneCorrection(correction).data, status=HTTPStatus.CREATED)

    @extend_schema(request=serializers.Ask, responses={201: serializers.OneProposal})
    @action(detail=True, methods=["post"])
    def propose(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the router gives it
        """Put a draft before those who decide."""
        said = serializers.Ask(data=request.data)
        said.is_valid(raise_exception=True)
        proposal = actions.propose(
            correction_id=self.get_object().pk, by=user_of(request), **said.validated_data
        )
        return Response(serializers.OneProposal(proposal).data, status=HTTPStatus.CREATED)


class Proposals(mixins.ListModelMixin, mixins.RetrieveModelMixin, Read):
    """Read what is or was to be decided, with the payload that votes bind to."""

    scopes: ClassVar = {"list": READ, "retrieve": READ}
    queryset = Proposal.objects.none()
    filterset_class = ProposalFilter
    brief, full = serializers.OfProposal, serializers.OneProposal

    def get_queryset(self) -> QuerySet[Proposal]:
        """Give what the person may see."""
        rows = Proposal.objects.visible_to(user_of(self.request))
        return rows.select_related("correction__package__incident", "proposer")


class Decisions(mixins.ListModelMixin, mixins.RetrieveModelMixin, Read):
    """Read votes; cast one, signed in. No scope lets a token decide."""

    scopes: ClassVar = {"list": READ, "retrieve": READ}
    queryset = Vote.objects.none()
    filterset_class = DecisionFilter
    brief = full = serializers.OfVote

    def get_queryset(self) -> QuerySet[Vote]:
        """Give what the person may see."""
        return Vote.objects.filter(
            proposal__in=Proposal.objects.visible_to(user_of(self.request))
        ).select_related("user")

    @extend_schema(request=serializers.Ballot, responses={201: serializers.OfVote, 200: serializers.OfVote})
    def create(self, request: Request) -> Response:
        """Vote on exactly the bytes with this digest. The same vote again changes nothing and answers 200."""
        said = serializers.Ballot(data=request.data)
        said.is_valid(raise_exception=True)
        values = dict(said.validated_data)
        asked = get_object_or_404(Proposal.objects.visible_to(user_of(request)), pk=values.pop("proposal"))
        ballot = actions.vote(proposal_id=asked.pk, by=user_of(request), **values)
        status = HTTPStatus.OK if ballot.repeated else HTTPStatus.CREATED
        return Response(serializers.OfVote(ballot.vote).data, status=status)


class Gateways(mixins.ListModelMixin, mixins.RetrieveModelMixin, Read):
    """Read the gateways as last heard."""

    scopes: ClassVar = {"list": READ, "retrieve": READ}
    queryset = Gateway.objects.all()
    brief = full = serializers.OfGateway


ROUTES: tuple[tuple[str, type[viewsets.GenericViewSet[Any]], str], ...] = (
    ("corrections", Corrections, "correction"),
    ("proposals", Proposals, "proposal"),
    ("decisions", Decisions, "decision"),
    ("gateways", Gateways, "gateway"),
    ("enforcement", Standing, "enforcement"),
    ("alarms", Alarms, "alarm"),
    ("refusals", Refusals, "refusal"),
    ("destruction-orders", Orders, "destruction-order"),
    ("evidence-holds", EvidenceHolds, "evidence-hold"),
)
"""What the router of the project registers."""


@transaction.atomic
def _draft(by: User, said: serializers.Draft) -> Correction:
    return actions.draft_correction(package_id=_package(by, said.validated_data), terms=said.terms(), by=by)


def _package(by: User, given: dict[str, Any]) -> int:
    """Give the package that is named, or begin one for the incident."""
    seen = Incident.objects.visible_to(by)
    if "package" in given:
        found = Package.objects.filter(incident__in=seen, pk=given["package"]).first()
        return _existing(found, "package").pk
    incident = _existing(seen.filter(pk=given["incident"]).first(), "incident")
    title = given.get("package_title") or f"Response to {incident}"
    begun = {"rationale": given.get("rationale", ""), "precaution": given["precaution"]}
    return actions.open_package(incident_id=incident.pk, title=title, by=by, **begun).pk


def _existing(found: T | None, field: str) -> T:
    if found is None:
        raise InvalidError(f"There is no such {field}.", field=field, code="not_found")
    return found
