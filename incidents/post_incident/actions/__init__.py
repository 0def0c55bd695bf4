"""Everything that can happen to a review. Pages and test factories call these."""

from incidents.post_incident.actions.findings import add_finding, link_finding, remove_finding, waive_finding
from incidents.post_incident.actions.follow_ups import add_follow_up, finish_follow_up
from incidents.post_incident.actions.reviews import begin, edit, return_to_draft, sign, submit

__all__ = [
    "add_finding",
    "add_follow_up",
    "begin",
    "edit",
    "finish_follow_up",
    "link_finding",
    "remove_finding",
    "return_to_draft",
    "sign",
    "submit",
    "waive_finding",
]
