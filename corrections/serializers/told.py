"""What the API tells."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from corrections import selectors
from corrections.models import Correction, Did, Gateway, Package, Proposal, Vote
from corrections.panels.words import sentence
from corrections.serializers.given import TERMS
from corrections.terms import Terms


class OfPackage(serializers.ModelSerializer[Package]):
    """A package, briefly."""

    class Meta:
        model = Package
        fields = ("id", "title", "precaution")


class OfCorrection(serializers.ModelSerializer[Correction]):
    """A correction in a list."""

    incident = serializers.CharField(source="package.incident.reference")
    package = OfPackage()
    correction_class = serializers.CharField()
    policy_id = serializers.CharField()
    summary = serializers.SerializerMethodField()

    class Meta:
        model = Correction
        fields = (
            *("id", "policy_id", "reference", "version", "supersedes", "incident", "package", "state"),
            *("correction_class", "summary", *TERMS, "revision", "drafted_at", "approval_digest"),
            *("approved_at", "execute_by", "policy_version", "active_at", "lifted_at", "failure", "drift"),
        )

    def get_summary(self, correction: Correction) -> str:
        """Say in one sentence what it does."""
        return sentence(Terms.of(correction))


class OfGatewayProof(serializers.Serializer[Any]):
    """One correction at one gateway."""

    gateway = serializers.CharField(source="gateway.name")
    verified = serializers.SerializerMethodField()
    missing = serializers.CharField(source="why_not")
    policy_version = serializers.IntegerField(source="gateway.policy_version", allow_null=True)
    refused = serializers.SerializerMethodField()
    checked_at = serializers.SerializerMethodField()

    def get_verified(self, each: selectors.Enforcement) -> bool:
        """Whether nothing is missing."""
        return not each.why_not

    def get_refused(self, each: selectors.Enforcement) -> int:
        """How many requests it refused there."""
        return each.row.refused if each.row else 0

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_checked_at(self, each: selectors.Enforcement) -> object:
        """When it was probed last."""
        return each.checked_at


class OneCorrection(OfCorrection):
    """A correction with its proof, gateway by gateway."""

    gateways = serializers.SerializerMethodField()

    class Meta(OfCorrection.Meta):
        fields = (*OfCorrection.Meta.fields, "gateways")

    @extend_schema_field(OfGatewayProof(many=True))
    def get_gateways(self, correction: Correction) -> object:
        """Give what each gateway has shown."""
        return OfGatewayProof(selectors.enforcement(correction, now=timezone.now()), many=True).data


class OfVote(serializers.ModelSerializer[Vote]):
    """One vote."""

    user = serializers.CharField(source="user.username")

    class Meta:
        model = Vote
        fields = ("id", "proposal", "user", "verdict", "reason", "digest", "at")


class OfHand(serializers.Serializer[Any]):
    """Somebody who does not decide, and why."""

    user = serializers.CharField()
    because = serializers.ChoiceField(choices=Did.choices)


class OfProposal(serializers.ModelSerializer[Proposal]):
    """A proposal in a list."""

    correction_id = serializers.IntegerField()
    policy_id = serializers.CharField(source="correction.policy_id")
    proposer = serializers.CharField(source="proposer.username")

    class Meta:
        model = Proposal
        fields = (
            *("id", "correction_id", "policy_id", "action", "state", "digest", "reason", "proposer"),
            *("proposed_at", "decide_by", "authority", "closed_at", "closed_because"),
        )


class OneProposal(OfProposal):
    """A proposal with the payload that votes bind to, its impact and what is missing."""

    payload = serializers.SerializerMethodField()
    missing = serializers.SerializerMethodField()
    barred = serializers.SerializerMethodField()
    votes = OfVote(many=True)

    class Meta(OfProposal.Meta):
        fields = (*OfProposal.Meta.fields, "payload", "impact", "missing", "barred", "votes")  # type: ignore[assignment]

    @extend_schema_field(serializers.DictField())
    def get_payload(self, proposal: Proposal) -> dict[str, Any]:
        """Read it off the very bytes."""
        return selectors.payload_of(proposal)

    @extend_schema_field(OfHand(many=True))
    def get_barred(self, proposal: Proposal) -> list[dict[str, str]]:
        """Name who had a hand in it: their votes are refused."""
        hands = selectors.barred(proposal)
        return [{"user": person.username, "because": did.value} for person, did in hands]

    def get_missing(self, proposal: Proposal) -> str:
        """Say what is still missing; empty once it is decided."""
        return selectors.standing(proposal).missing if proposal.is_open else ""


class OfGateway(serializers.ModelSerializer[Gateway]):
    """A gateway as last heard."""

    class Meta:
        model = Gateway
        fields = (
            *("id", "name", "registered_at", "retired_at", "seen_at", "policy_version", "policy_digest"),
            *("live", "rejected", "error"),
        )
