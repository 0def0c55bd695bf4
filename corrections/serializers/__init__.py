"""How corrections, proposals, decisions and gateways travel as JSON."""

from corrections.serializers.given import Ask, Ballot, Draft
from corrections.serializers.told import (
    OfCorrection,
    OfGateway,
    OfProposal,
    OfVote,
    OneCorrection,
    OneProposal,
)

__all__ = [
    "Ask",
    "Ballot",
    "Draft",
    "OfCorrection",
    "OfGateway",
    "OfProposal",
    "OfVote",
    "OneCorrection",
    "OneProposal",
]
