"""What is stored: corrections, decisions, and what the gateways made of them."""

from corrections.models.alarm import Alarm, AlarmKind
from corrections.models.author import Author, Did
from corrections.models.correction import Correction, Package
from corrections.models.decision import AuthorityRule, Proposal, Vote
from corrections.models.destruction import DestructionApproval, DestructionOrder, EvidenceHold
from corrections.models.gateway import Acknowledgement, CorrectionGateway, Gateway, Hub, PolicyVersion
from corrections.models.traffic import Outcome, RefusalCount, TrafficMatch, TrafficRecord, TrafficSeen

__all__ = [
    "Acknowledgement",
    "Alarm",
    "AlarmKind",
    "Author",
    "AuthorityRule",
    "Correction",
    "CorrectionGateway",
    "DestructionApproval",
    "DestructionOrder",
    "Did",
    "EvidenceHold",
    "Gateway",
    "Hub",
    "Outcome",
    "Package",
    "PolicyVersion",
    "Proposal",
    "RefusalCount",
    "TrafficMatch",
    "TrafficRecord",
    "TrafficSeen",
    "Vote",
]
