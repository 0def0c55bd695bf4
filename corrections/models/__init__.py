"""What is stored: corrections, decisions, and what the gateways made of them."""

from corrections.models.correction import Correction, Package
from corrections.models.decision import AuthorityRule, Proposal, Vote
from corrections.models.gateway import CorrectionGateway, Gateway, Hub, PolicyVersion, TrafficRecord

__all__ = [
    "AuthorityRule",
    "Correction",
    "CorrectionGateway",
    "Gateway",
    "Hub",
    "Package",
    "PolicyVersion",
    "Proposal",
    "TrafficRecord",
    "Vote",
]
