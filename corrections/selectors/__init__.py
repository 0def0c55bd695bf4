"""What pages, the API and gates want to know. Nothing here changes anything."""

from corrections.selectors.decisions import Standing, barred, eligible, standing
from corrections.selectors.gateways import Enforcement, GatewayStanding, enforcement, gateways
from corrections.selectors.impact import Impact, Organisation, Overlap, impact
from corrections.selectors.kin import Kin, kin
from corrections.selectors.payload import change, payload_of

__all__ = [
    "Enforcement",
    "GatewayStanding",
    "Impact",
    "Kin",
    "Organisation",
    "Overlap",
    "Standing",
    "barred",
    "change",
    "eligible",
    "enforcement",
    "gateways",
    "impact",
    "kin",
    "payload_of",
    "standing",
]
