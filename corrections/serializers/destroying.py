"""Orders of destruction and holds on evidence as JSON."""

from __future__ import annotations

from typing import ClassVar

from rest_framework import serializers

from corrections import holds
from corrections.models import DestructionApproval, DestructionOrder, EvidenceHold
from corrections.states import OrderState
from irapp.common.api.serializers import StrictSerializer


class NewOrder(StrictSerializer):
    """What is to be destroyed, and why."""

    incident = serializers.IntegerField(min_value=1)
    model_name = serializers.CharField(max_length=200)
    components = serializers.ListField(
        child=serializers.CharField(max_length=300), min_length=1, max_length=50
    )
    reason = serializers.CharField(max_length=10_000)
    narrower_rejected = serializers.CharField(max_length=10_000)


class NewHold(StrictSerializer):
    """What is to be kept."""

    incident = serializers.IntegerField(min_value=1)
    model_name = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    what = serializers.CharField(max_length=10_000)
    reason = serializers.CharField(max_length=10_000)


class Reasoned(StrictSerializer):
    """A reason that is kept."""

    reason = serializers.CharField(max_length=4_000)


class SignatureGiven(Reasoned):
    """A signature under exactly the content with this digest."""

    digest = serializers.CharField(max_length=71)


class OfApproval(serializers.ModelSerializer[DestructionApproval]):
    """One signature."""

    user = serializers.CharField(source="user.username")

    class Meta:
        model = DestructionApproval
        fields = ("user", "reason", "digest", "at")


class OfOrder(serializers.ModelSerializer[DestructionOrder]):
    """An order in a list."""

    incident = serializers.CharField(source="incident.reference")
    drafted_by = serializers.CharField(source="drafted_by.username")

    class Meta:
        model = DestructionOrder
        fields: ClassVar[tuple[str, ...]] = (
            *("id", "reference", "incident", "model_name", "components", "reason", "narrower_rejected"),
            *("digest", "authority", "state", "drafted_by", "drafted_at", "ordered_at"),
            *("withdrawn_at", "withdraw_reason"),
        )


class OneOrder(OfOrder):
    """An order with its signatures, and what stands in its way."""

    approvals = OfApproval(many=True)
    in_the_way = serializers.SerializerMethodField()

    class Meta(OfOrder.Meta):
        fields: ClassVar[tuple[str, ...]] = (*OfOrder.Meta.fields, "approvals", "in_the_way")

    def get_in_the_way(self, order: DestructionOrder) -> list[dict[str, str]]:
        """Give what has to be released before it can be signed."""
        open_ = order.state == OrderState.DRAFTED
        blocks = holds.standing_in_the_way(order, self.context["request"].user) if open_ else []
        return [{"label": block.label, "detail": block.detail} for block in blocks]


class OfHold(serializers.ModelSerializer[EvidenceHold]):
    """A hold."""

    incident = serializers.CharField(source="incident.reference")
    placed_by = serializers.CharField(source="placed_by.username")

    class Meta:
        model = EvidenceHold
        fields = (
            *("id", "reference", "incident", "model_name", "what", "reason", "placed_by", "placed_at"),
            *("released_at", "release_reason"),
        )
